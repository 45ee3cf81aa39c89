"""Codes into sentences that say what to do. The one place on the edge where errors get words."""

from __future__ import annotations

from datetime import timedelta

from attendance_bridge.core.causes import Cause, Finding
from attendance_bridge.core.errors import BridgeError, Code
from attendance_bridge.core.workday.day import Anomaly, Reason, Status

_SENTENCES: dict[Code, str] = {
	Code.UNREACHABLE: "Nothing answers at {where}. Check the address and the port, that it is switched on, "
	"and that this machine is in the same network.",
	Code.TLS_UNTRUSTED: "The certificate of {where} is not trusted, or it does not speak TLS on this port. "
	"Name the authority that signed it, or correct the address.",
	Code.TIMEOUT: "{where} took the connection but did not answer in time. It may be busy or restarting, or "
	"another kind of device is behind this port; if it is the right one, raise `timeout`.",
	Code.CONNECTION_LOST: "{where} closed the connection in the middle of an answer. What was read is kept, "
	"and the rest is read at the next try. If it happens every time, check that the driver fits the device.",
	Code.AUTH_FAILED: "{where} refused the user, password, key or token. Correct it; it is not tried again "
	"soon, so that the account is not locked.",
	Code.LOCKED_OUT: "{where} has locked the account after wrong passwords{unlock}. Correct the password "
	"now; the next attempt is made after that time.",
	Code.FORBIDDEN: "{where} knows the account but does not grant the right. Give it the permission to read "
	"the attendance log (terminal) or Employee and Employee Checkin (site).",
	Code.BUSY: "{where} is busy and asks to come back later. It is tried again by itself.",
	Code.GARBAGE: "What {where} answers is not the expected protocol. Check that the driver fits the device "
	"and that the port is the right one.",
	Code.TOO_LARGE: "{where} sent more than is accepted in one answer. Check that the driver fits the "
	"device.",
	Code.NOT_SUPPORTED: "{where} does not know this call; its model or firmware lacks it.",
	Code.DEVICE_ERROR: "{where} reports an error of its own. Look at its screen or its web page.",
	Code.WRONG_DEVICE: "Another terminal answers at {where}: its serial number is {found}, expected was "
	"{expected}. Correct the address or the serial number.",
	Code.SAME_SERIAL: "Two terminals call with this serial number. Give one of them another, or replace it; "
	"until then both are taken in, and each sends everything again when it starts.",
	Code.NO_FREE_PLACE: "{where} posts its events to others and has no place left for this agent. Clear one "
	"on its web page (HTTP listening); it is tried again by itself. Until then it is read.",
	Code.UPSTREAM_ERROR: "{where} failed. Look into its error log; delivery goes on by itself when it is "
	"back.",
	Code.RATE_LIMITED: "{where} asks for fewer requests. Delivery goes on by itself; set or lower the rate "
	"limit if it happens often.",
	Code.NOT_FOUND: "{where} does not have what was asked for. Check the address and that HRMS is installed.",
	Code.NOT_READY: "Nothing is sent to {where} yet. {problems}",
	Code.DISK_FULL: "The disk that holds {path} is full. Free some space; nothing acknowledged is lost, and "
	"terminals keep what was not fetched.",
	Code.DATABASE_LOCKED: "Another program holds {path} locked. Close it and try again.",
	Code.DATABASE_DAMAGED: "{path} is damaged. Stop the agent, move the file aside, and start again: the "
	"terminals are read anew from the beginning. Keep the damaged file for recovery.",
	Code.DATABASE_UNREADABLE: "{path} cannot be opened as a database ({cause}). Check that the folder "
	"exists, that this user may write there, and that it is not another kind of file.",
	Code.DATABASE_TOO_NEW: "{path} was written by a later version. Install that version, or use another "
	"file.",
	Code.GALLERY_KEY_MISSING: "There is no key for the face templates at {place}. Put the key back that they "
	"were locked with; for a new gallery, make one with `attendance-bridge gallery create-key`.",
	Code.GALLERY_KEY_EXPOSED: "Others can read the key of the face templates, {place}. Take their rights "
	"away (chmod 600, owned by the user of the agent), and rotate the key if somebody may have read it.",
	Code.GALLERY_KEY_BESIDE_DATABASE: "The key of the face templates, {place}, lies in the folder of the "
	"database: one copy would carry both away. Move it to a folder of its own.",
	Code.GALLERY_KEY_TAKEN: "No new key was made at {place}: there is a key, or the database holds templates "
	"that only the old one opens. Rotate the key, or give the templates up first.",
	Code.GALLERY_KEY_WRONG: "The face templates in {path} were locked with another key. Put the right key "
	"back; without it, give the templates up and enrol everybody again.",
	Code.TEMPLATE_DAMAGED: "The template {template_id} was changed outside of this program and does not "
	"open. Erase it and enrol the person again.",
	Code.CONSENT_MISSING: "{employee} has not agreed to be recognised, or has taken it back. Record the "
	"consent first.",
	Code.CAMERA_NOT_THERE: "The camera {camera} cannot be opened ({cause}). Check that it is plugged in, "
	"that no other program holds it, and its address. It is tried again by itself.",
	Code.CAMERA_LOST: "The camera {camera} has stopped giving pictures. Check its cable and its power; it is "
	"opened again by itself.",
	Code.CAMERA_FROZEN: "The camera {camera} has given no new picture for {seconds} seconds. It is opened "
	"again by itself; if it happens often, check its cable and its power.",
	Code.MODEL_MISSING: "There is no model at {path}. Fetch it with `attendance-bridge models download`, or "
	"correct the path.",
	Code.MODEL_DAMAGED: "{path} is not the file that its model pack names: its size or its checksum differs. "
	"Download the pack again.",
	Code.MODEL_UNFIT: "{path} cannot be used: {why}.",
	Code.MODEL_NOT_OFFERED: "There is no place to download all files of the model pack {pack} from. Bring "
	"them yourself and name their folder with --from; `attendance-bridge models show` lists them.",
	Code.MODEL_NOT_FETCHED: "The model was not fetched from {url}: {why}. Nothing was changed; try again, or "
	"fetch the file by other means and name its folder with --from.",
	Code.NOT_INSTALLED: "The package {package} is missing. Install it with: "
	'pip install "attendance_bridge[{extra}]".',
	Code.UNKNOWN_KEY: "There is no option {path}. Known here: {known}.",
	Code.MISSING_KEY: "{path} is missing: {help}.",
	Code.BAD_VALUE: "{path} must be {expected}.",
	Code.UNREADABLE_FILE: "{path} cannot be read: {why}.",
	Code.SECRET_MISSING: "{path}: the {kind_word} {reference} that should hold the secret is missing, empty "
	"or not readable.",
}

_KIND_WORDS = {"env": "environment variable", "file": "file"}


class _Facts(dict[str, object]):
	def __missing__(self, key: str) -> str:
		return "?"


def sentence(error: BridgeError, where: str = "") -> str:
	"""What happened and what to do, in one or two sentences.

	:param where: how the user calls the other side ("Main gate (192.0.2.7:4370)"); by default host and port
		from the error.
	"""
	facts = _Facts(error.details)
	facts["where"] = where or _where(facts)
	facts["kind_word"] = _KIND_WORDS.get(str(facts.get("kind")), "place")
	seconds = facts.get("unlock_seconds")
	facts["unlock"] = f" for another {seconds} seconds" if seconds else ""
	facts["help"] = str(facts["help"]).rstrip(".")
	facts.setdefault("path", "the database")
	facts["problems"] = spell_problems(facts.get("problems", ()))
	return _SENTENCES[error.code].format_map(facts)


def spell_problems(problems: object) -> str:
	"""Words for the codes that `Upstream.check` found."""
	codes = problems if isinstance(problems, tuple) else ()
	return " ".join(PROBLEMS.get(str(code), str(code)) for code in codes)


def spell_offset(offset: timedelta) -> str:
	"""How a terminal's clock stands: "right", "40 s fast", "61 min slow"."""
	seconds = round(offset.total_seconds())
	if abs(seconds) < 2:
		return "right"
	amount = f"{abs(seconds)} s" if abs(seconds) < 120 else f"{round(abs(seconds) / 60)} min"
	return f"{amount} {'fast' if seconds > 0 else 'slow'}"


def _where(facts: _Facts) -> str:
	host, port = facts.get("host"), facts.get("port")
	if host is None:
		return str(facts.get("url", "the other side"))
	return f"{host}:{port}" if port is not None else str(host)


_TROUBLES: dict[Cause, str] = {
	Cause.DEVICE_DARK: "Nothing was heard of {subject} for {minutes} minutes.",
	Cause.WRONG_PASSWORD: "{subject} refuses the password, or has locked the account.",
	Cause.WRONG_DEVICE: "Another terminal than expected answers for {subject}.",
	Cause.CLOCK_OFF: "The clock of {subject} is {offset}.",
	Cause.NEARLY_FULL: "The log of {subject} is {percent} % full.",
	Cause.BACKLOG: "{count} punches wait to be delivered.",
	Cause.SITE_UNREACHABLE: "Nothing can be delivered.",
	Cause.DISK_FULL: "Only {megabytes} MB are left on the disk.",
}

TROUBLE_ADVICE: dict[Cause, str] = {
	Cause.DEVICE_DARK: "Look whether it is switched on and in this network. It keeps its punches.",
	Cause.WRONG_PASSWORD: "Correct the password. It is not tried again soon, so that nobody is locked out.",
	Cause.WRONG_DEVICE: "Correct the address, or the serial number if it was replaced.",
	Cause.CLOCK_OFF: "Set its clock, or correct the time zone in the configuration; then look at the punches "
	"in quarantine.",
	Cause.NEARLY_FULL: 'All up to "Complete up to" is here. Delete old records at the terminal before it '
	"overwrites what was not read.",
	Cause.BACKLOG: "They are kept and go out by themselves; see why under Delivery.",
	Cause.SITE_UNREACHABLE: "Punches are kept here and go out when it is back.",
	Cause.DISK_FULL: "Free some: without it no more punches are held. Terminals keep what is not fetched.",
}
"""What somebody can do about a trouble, where its error does not say."""

PEOPLE_TROUBLE = "The list of people cannot be used; the one that was read before it stays in force."


def spell_trouble(finding: Finding) -> str:
	"""What is wrong, as a sentence."""
	facts = _Facts(finding.facts)
	seconds = finding.facts.get("seconds")
	facts["offset"] = spell_offset(timedelta(seconds=float(seconds))) if seconds is not None else "?"
	facts["subject"] = finding.subject
	return _TROUBLES[finding.cause].format_map(facts)


REASONS: dict[str, str] = {
	# why IN or OUT
	"device_key": "the key pressed on the terminal",
	"device_role": "the role of the terminal",
	"first_of_day": "first punch of the working day",
	"after_in": "follows an IN",
	"after_out": "follows an OUT",
	"corrected": "corrected by a person",
	"by_hand": "entered by hand",
	# why no check-in
	"echo": "repeats the punch just before it",
	"no_such_id": "nobody has this id",
	"clock_off": "the terminal's clock was wrong when it was read",
	"clock_jumped": "the terminal's clock was wrong and has been set since, nobody knows when",
	"in_the_future": "a time that has not come yet",
	"before_time": "a time before any terminal in use: its clock had been reset",
	# what a site that decides says
	"unknown_device": "the site has no Device Configuration of this agent for this terminal yet",
	"busy": "the site was busy",
	"bad_punch": "the site cannot read it as a punch",
	"adopted": "another tool or a person had made this check-in before",
	"adopted_other_log_type": "another tool or a person had made this check-in before, the other way round",
	"same_second": "another terminal saw the same person in the same second",
	"attendance_marked": "checked in, but the attendance of that day was marked already",
	"inactive_employee": "the employee is inactive",
	"geolocation_required": "HR Settings ask for coordinates with every check-in; a terminal has none",
	"too_far_away": "outside the radius of the shift location",
	"text_too_long": "a value is longer than its field",
	"broken_link": "the employee, or something else that the check-in names, is not there any more",
	"refused": "a rule of the site refused the check-in",
}
"""Words for the reason codes of decisions."""

PROBLEMS: dict[str, str] = {
	"hrms_missing": "HRMS is not installed on the site.",
	"employees_unreadable": "The user of the token may not read Employee: give it a role that may.",
	"device_ids_unreadable": "The field attendance_device_id of Employee is hidden from the token's user.",
	"check_ins_unreadable": "The user of the token may not read Employee Checkin: give it a role that may.",
	"check_ins_not_allowed": "The user of the token may not create Employee Checkin.",
	"time_zone_differs": "`timezone` is not the site's time zone: every check-in would come at a wrong hour.",
	"app_missing": "Attendance Bridge is not installed on the site, or it is older than this agent: use "
	'kind = "erpnext_rest", or install it.',
	"not_an_agent": "The user of the token is not the user of an enabled Edge Agent: create one on the site.",
	"geolocation_required": "HR Settings has geolocation tracking on: HRMS refuses check-ins from terminals.",
}
"""Words for what `Upstream.check` finds wrong."""

FACTOR_WORDS: dict[str, str] = {
	"set": "It is kept, as a hash; nobody can look it up.",
	"removed": "It is taken away.",
	"bad_pin": "A PIN has 4 to 12 digits.",
	"bad_badge": "A badge reads as 4 to 64 printable characters.",
}
"""Words for what became of a PIN or a badge that was given to somebody."""

PAGE_PROBLEMS: dict[str, str] = {
	"bad_request": "The page was not filled in as it should be. Go back and try again.",
	"csrf": "This page was open for too long, or was sent from elsewhere. Open it again and try once more.",
	"forbidden": "Your account may not do this. An administrator can give you one that may.",
	"not_found": "There is no such page, or what it was about is not there any more.",
	"method_not_allowed": "There is no such page: this address is asked in another way.",
	"rate_limited": "That was a lot at once. Wait a little and try again.",
	"too_large": "That was too large.",
	"failed": "Something went wrong here. The log of the agent says what.",
}
"""Words for why there is no page."""

CORRECTIONS: dict[str, str] = {
	"decided_anew": "Kept. The punch is decided again and sent by it.",
	"delivered_stays": "Kept beside the punch. The check-in was delivered, or may have been: it stays there "
	"as it is. Change it there too.",
	"ledger_stays": "Kept beside the punch. The ledger keeps the check-in as it was entered; working days go "
	"by the correction.",
	"site_decides": "The site decides about its punches: correct it there, in its Punch Log.",
	"no_such_punch": "There is no such punch.",
	"not_decided_yet": "It is being decided at this moment. Try again in a few seconds.",
	"not_quarantined": "Its time was not doubted; there is nothing to release.",
	"not_refused": "It was not refused; there is nothing to try again.",
	"same_second": "There is another punch of this person at this second. Correct that one.",
	"too_near": "This person has a punch at {at}, less than {seconds} seconds away: both would be one "
	"passage. Correct that one.",
	"why": "Give a reason: one line of at most 500 legible characters.",
}
"""What became of a correction, or why it was not taken."""

CORRECTION_KINDS: dict[str, str] = {
	"set_in": "it was IN",
	"set_out": "it was OUT",
	"ignore": "it is no check-in",
	"as_decided": "as the agent decides",
	"release_time": "its time is right",
	"retry": "try again",
}
"""What a person can say of a punch."""

LIVE_WORDS: dict[str, tuple[str, str]] = {
	"waiting": ("waits until the terminal was read", "wait"),
	"connecting": ("connecting", "wait"),
	"listening": ("listening", "good"),
	"paused": ("broke off; tried again by itself", "wait"),
	"not_supported": ("this model or firmware tells nothing; it is read", "quiet"),
}
"""The word and the tone of how listening to a terminal stands."""

POSTS_WORDS: dict[str, tuple[str, str]] = {
	"not_told": ("not told yet", "wait"),
	"not_kept": ("not kept by the terminal: nothing will come; it is read", "bad"),
	"waiting": ("set up; nothing was due yet", "wait"),
	"delivers": ("delivers", "good"),
	"never": ("set up, and nothing comes; it is told again, and read", "bad"),
	"stopped": ("comes no more; it is told again, and read", "bad"),
}
"""The same for one that was told to post its events."""

NO_RECEIVER_TOKEN = "Give [receiver] a token: without one nobody may post."

PAIRING_PROBLEMS: dict[str, str] = {
	"serial": "That is no serial number of a terminal.",
	"name": "Give the terminal a name of at most 140 characters.",
	"name_taken": "Another terminal has this name. Give it one of its own.",
	"zone": "There is no such time zone. Write it like Asia/Dubai or Europe/Berlin.",
	"role": "There is no such role.",
	"user_id_prefix": "The prefix of ids has at most 32 characters.",
}
"""Words for why a terminal could not be let in."""

DAY_STATUS: dict[Status, str] = {
	Status.ON_TIME: "On Time",
	Status.CONSIDERED: "Considered",
	Status.LATE: "Late",
	Status.EARLY_EXIT: "Early Exit",
	Status.HALF_DAY: "Half Day",
	Status.PRESENT: "Present",
	Status.ABSENT: "Absent",
	Status.ON_LEAVE: "On Leave",
	Status.HOLIDAY: "Holiday",
	Status.WEEKLY_OFF: "Weekly Off",
	Status.NOT_SCHEDULED: "Not Scheduled",
	Status.EXPECTED: "Expected",
	Status.MISSING: "Missing",
}
"""How a working day was; the same words as on a site."""

DAY_REASONS: dict[Reason, str] = {
	Reason.IN_TIME: "Came in time",
	Reason.WITHIN_GRACE: "Came within the grace period",
	Reason.AFTER_GRACE: "Came after the grace period",
	Reason.LEFT_BEFORE_END: "Left before the end",
	Reason.BELOW_HALF_DAY: "Less worked than half a day needs",
	Reason.BELOW_ABSENT: "Too little worked to count",
	Reason.NO_PUNCH: "No punch",
	Reason.BY_HAND: "Marked by hand, without a punch",
	Reason.LEAVE: "On leave",
	Reason.HALF_LEAVE: "Half a day of leave",
	Reason.HALF_LEAVE_HALF_ABSENT: "Half a day of leave, absent in the other",
	Reason.DAY_OFF: "A day off",
	Reason.HALF_OFF: "Half a day off",
	Reason.NO_SHIFT: "No shift",
	Reason.NOT_BEGUN: "Need not have come yet",
	Reason.NOT_COME: "Has not come",
}

DAY_ANOMALIES: dict[str, str] = {
	Anomaly.MISSING_IN.value: "No IN",
	Anomaly.MISSING_OUT.value: "No OUT",
	Anomaly.IN_AFTER_IN.value: "IN after IN",
	Anomaly.OUT_AFTER_OUT.value: "OUT after OUT",
	Anomaly.PUNCH_ON_LEAVE.value: "Punched while on leave",
	Anomaly.PUNCH_ON_DAY_OFF.value: "Punched on a day off",
	"outside_shift": "Punched outside of every shift",
}
"""What a hand should look at, by its code."""

DAY_LETTERS: dict[Status, str] = {
	Status.ON_TIME: "P",
	Status.CONSIDERED: "P*",
	Status.LATE: "L",
	Status.EARLY_EXIT: "E",
	Status.HALF_DAY: "½",
	Status.PRESENT: "P",
	Status.ABSENT: "A",
	Status.ON_LEAVE: "V",
	Status.HOLIDAY: "H",
	Status.WEEKLY_OFF: "W",
	Status.NOT_SCHEDULED: "",
	Status.EXPECTED: "",
	Status.MISSING: "?",
}
"""For the narrow cells of a month."""

DAY_MARKS: dict[str, str] = {
	"leave": "on leave",
	"half_leave": "half a day of leave",
	"off": "a day off",
	"present": "was there, without a punch",
}
"""What somebody can say of a day of a person."""

PASSES = ("the first time", "the second time")
"""Which pass through the hour that clocks go through twice, by the fold of a moment."""

ENTERING: dict[str, str] = {
	"entered": "Kept. It counts from now on.",
	"waits": "Kept. It counts as soon as the agent has decided the punches before it.",
	"known": "It was entered before; nothing has changed.",
	"outside": "Kept, but it falls into no shift of this person on that date: it counts for no hours.",
	"withdrawn": "Withdrawn. It stays on record and counts no more.",
	"withdrawn_before": "It was withdrawn before; nothing has changed, and this reason is not kept.",
	"why": "Give a reason: one line of at most 200 legible characters.",
	"time": "Give a date and a time of day.",
	"no_such_person": "Nobody of that key is listed here or has ever checked in.",
	"no_device_id": "The list of people has no id for this person, or gives the same to several: correct it "
	"first.",
	"skipped_hour": "The clocks were put forward over this time: it never was. Give a time before or after.",
	"repeated_hour": "The clocks were put back, and showed this time twice. Say which of the two it was.",
	"not_repeated": "The clocks showed this time only once: there is no second one.",
	"in_the_future": "That time has not come yet.",
	"too_old": "That is more than a year ago: too long to be changed.",
	"same_second": "There is a punch of this person at this second already. Correct or withdraw that one.",
	"too_near": "This person has a punch at {at}, less than {seconds} seconds away: both would be one "
	"passage. Correct that one, or give another time.",
	"not_decided_yet": "It is being decided at this moment. Try again in a few seconds.",
	"no_such_punch": "There is no such punch.",
	"of_a_terminal": "A terminal has recorded this punch: it cannot be withdrawn, only corrected beside it.",
	"kept_elsewhere": "Check-ins go from here to another system. Enter what is missing there.",
}
"""What became of a punch that somebody entered by hand or withdrew, or why it was not taken."""

MARK_PROBLEMS: dict[str, str] = {
	"range": "Give a first date and one that is not before it, at most a year later.",
	"why": "The reason is too long, or not one line of legible characters.",
}
"""Words for why what was said of days could not be taken."""
