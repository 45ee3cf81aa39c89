"""Codes into sentences that say what to do. The one place on the site where codes get words,
but for those of alerts (`alert_words`).

Facts in a sentence come from terminals and forms: they are cut short and carry no angle bracket, so that a
sentence can be shown in a dialog, stored in a field and sent by e-mail alike.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import frappe
from frappe import _, _lt
from frappe.translate import print_language

from attendance_bridge.bench import driver_options, moments
from attendance_bridge.core.errors import BridgeError, Code, ConfigError

MAX_FACT_LENGTH = 300

_SENTENCES = {
	Code.UNREACHABLE: _lt(
		"Nothing answers at {where}. Check the address and the port, that it is switched on, and that"
		" this server can reach its network; if it cannot, let an Edge Agent relay the terminal."
	),
	Code.TLS_UNTRUSTED: _lt(
		"The certificate of {where} is not trusted, or it does not speak TLS on this port. Correct the"
		" address, or the options about HTTPS."
	),
	Code.TIMEOUT: _lt(
		"{where} took the connection but did not answer in time. It may be busy or restarting, or another"
		" kind of device is behind this port; if it is the right one, raise the option timeout."
	),
	Code.CONNECTION_LOST: _lt(
		"{where} closed the connection in the middle of an answer. What was read is kept, and the rest is"
		" read at the next try. If it happens every time, check that the driver fits the terminal."
	),
	Code.AUTH_FAILED: _lt(
		"{where} refused the user, password or key. Correct it; it is not tried again soon, so that the"
		" account is not locked."
	),
	Code.LOCKED_OUT: _lt(
		"{where} has locked the account after wrong passwords{unlock}. Correct the password now; the next"
		" attempt is made after that time."
	),
	Code.FORBIDDEN: _lt(
		"{where} knows the user but does not grant the right. Give it the permission to read the log."
	),
	Code.BUSY: _lt("{where} is busy and asks to come back later. It is tried again by itself."),
	Code.GARBAGE: _lt(
		"What {where} answers is not the expected protocol. Check that the driver fits the terminal and"
		" that the port is the right one."
	),
	Code.TOO_LARGE: _lt(
		"{where} sent more than is accepted in one answer. Check that the driver fits the terminal."
	),
	Code.NOT_SUPPORTED: _lt("{where} does not know this call; its model or firmware lacks it."),
	Code.DEVICE_ERROR: _lt("{where} reports an error of its own. Look at its screen or its web page."),
	Code.WRONG_DEVICE: _lt(
		"Another terminal answers at {where}: its serial number is {found}, expected was {expected}."
		" Correct the address, or accept it as a new terminal."
	),
	Code.SAME_SERIAL: _lt(
		"Two terminals call with this serial number. Give one of them another, or replace it; until then both"
		" are taken in, and each sends everything again when it starts."
	),
	Code.NO_FREE_PLACE: _lt(
		"{where} posts its events to others and has no place left. Clear one on its web page (HTTP listening)"
		" and try again. Until then it is read."
	),
	Code.UPSTREAM_ERROR: _lt("{where} failed. Look into its error log; delivery goes on by itself."),
	Code.RATE_LIMITED: _lt("{where} asks for fewer requests. It goes on by itself."),
	Code.NOT_FOUND: _lt("{where} does not have what was asked for. Check the address."),
	Code.NOT_READY: _lt("{where} is not ready to take check-ins yet."),
	Code.DISK_FULL: _lt(
		"The database server has no space left. Free some; nothing that was acknowledged is lost, and"
		" terminals keep what was not fetched."
	),
	Code.DATABASE_LOCKED: _lt("The database was busy for too long. It is tried again by itself."),
	Code.DATABASE_DAMAGED: _lt("The database is damaged. Restore it; terminals keep what was not fetched."),
	Code.DATABASE_UNREADABLE: _lt("The database cannot be opened."),
	Code.DATABASE_TOO_NEW: _lt("The database was written by a later version of this app. Update the app."),
	Code.GALLERY_KEY_MISSING: _lt("The edge agent has no key for its face templates."),
	Code.GALLERY_KEY_EXPOSED: _lt("Others can read the key of the edge agent's face templates."),
	Code.GALLERY_KEY_BESIDE_DATABASE: _lt(
		"The key of the edge agent's face templates lies in the folder of its database."
	),
	Code.GALLERY_KEY_TAKEN: _lt("No new key was made: there are face templates that only the old one opens."),
	Code.GALLERY_KEY_WRONG: _lt("The edge agent's face templates were locked with another key."),
	Code.TEMPLATE_DAMAGED: _lt("A face template does not open. Erase it and enrol the person again."),
	Code.CONSENT_MISSING: _lt("The person has not agreed to be recognised, or has taken it back."),
	Code.CAMERA_NOT_THERE: _lt("The camera of an edge agent cannot be opened. It is tried again by itself."),
	Code.CAMERA_LOST: _lt("The camera of an edge agent has stopped giving pictures. It is opened again."),
	Code.CAMERA_FROZEN: _lt("The camera of an edge agent gives no new pictures. It is opened again."),
	Code.MODEL_MISSING: _lt("The edge agent has no model to recognise faces with."),
	Code.MODEL_DAMAGED: _lt("A model file of the edge agent is damaged. Download its pack again."),
	Code.MODEL_UNFIT: _lt("The edge agent cannot use the model that it is configured for."),
	Code.MODEL_NOT_OFFERED: _lt("There is no place to download this model pack from."),
	Code.MODEL_NOT_FETCHED: _lt("The edge agent could not fetch the model."),
	Code.NOT_INSTALLED: _lt("A package that this needs is missing on the edge agent."),
	Code.UNKNOWN_KEY: _lt("There is no option {path}. Known here: {known}."),
	Code.MISSING_KEY: _lt("{path} is missing: {help}."),
	Code.BAD_VALUE: _lt("{path} must be {expected}."),
	Code.UNREADABLE_FILE: _lt("{path} cannot be read."),
	Code.SECRET_MISSING: _lt("{path} is missing."),
}

READ_BY_US = _lt(
	"{where} is being read at this moment, and talks to one at a time. Try again when that is done."
)
"""The sentence of BUSY when it is this site that talks with the terminal."""

CONFIGURED_TWICE = _lt(
	"The terminal at {where} (serial number {found}) is configured already, as {configured_as}. Disable"
	" or correct one of the two."
)
"""The sentence of WRONG_DEVICE when the serial number belongs to another Device Configuration."""

_REASONS = {
	# why IN or OUT
	"device_key": _lt("The key pressed on the terminal"),
	"device_role": _lt("The role of the terminal"),
	"first_of_day": _lt("First punch of the working day"),
	"after_in": _lt("Follows an IN"),
	"after_out": _lt("Follows an OUT"),
	"corrected": _lt("Corrected by a person"),
	# why no check-in
	"echo": _lt("Repeats the punch just before it"),
	"no_such_id": _lt("No employee has this attendance device ID"),
	"clock_off": _lt("The terminal's clock was wrong when it was read"),
	"in_the_future": _lt("A time that has not come yet"),
	"before_time": _lt("A time before any terminal in use: its clock had been reset"),
	"clock_jumped": _lt("The terminal's clock was wrong and has been set since: nobody knows when"),
	# what HRMS made of it
	"adopted": _lt("Another tool or a person had made this check-in before"),
	"adopted_other_log_type": _lt(
		"Another tool or a person had made this check-in before, in the other direction"
	),
	"same_second": _lt("Another terminal saw the same person in the same second"),
	"attendance_marked": _lt("Checked in, but the attendance of that day was marked already"),
	"inactive_employee": _lt("The employee is inactive"),
	"geolocation_required": _lt(
		"HR Settings ask for a position with every check-in, and the terminal has none"
	),
	"too_far_away": _lt("Outside the radius of the shift location"),
	"text_too_long": _lt("A value is longer than its field"),
	"broken_link": _lt("The employee, or something else that the check-in names, is not there any more"),
	"refused": _lt("A rule of this site refused the check-in"),
	# what a person made of it
	"set_aside": _lt("A person decided that this is no check-in"),
	"checkin_deleted": _lt("Somebody has deleted its check-in"),
}

_ADVICE = {
	"no_such_id": _lt("Give the ID to somebody on the page Unmapped People: past punches follow."),
	"clock_off": _lt(
		"Re-time it by what the clock was measured to be off; or approve the time if it is right. Then sync"
		" the clock."
	),
	"clock_jumped": _lt(
		"Look at the time. If it is right, approve it; if it was made before the clock was set, re-time it."
	),
	"in_the_future": _lt(
		"Re-time it by what the clock was measured to be off, or approve the time if the site's own clock"
		" was wrong. Then sync the clock."
	),
	"before_time": _lt(
		"Re-time it if the clock has run on since it was reset; else ignore it, and enter the check-in by"
		" hand if somebody misses it. Then sync the clock."
	),
	"inactive_employee": _lt("Set the employee to Active, and it is tried again by itself; or ignore it."),
	"geolocation_required": _lt(
		"Enter the position of the terminal in its Device Configuration, then retry."
	),
	"too_far_away": _lt("Correct the shift location or its radius, then retry."),
	"text_too_long": _lt("Shorten the name of the terminal or of what the check-in names, then retry."),
	"broken_link": _lt("Restore what is missing or give the ID to somebody else, then retry."),
	"refused": _lt("Look into the rule, or ask whoever made it. Then retry, or ignore the punch."),
	"attendance_marked": _lt("Correct the attendance of that day if it is wrong."),
	"adopted_other_log_type": _lt("Correct the check-in if it says the wrong direction."),
	"set_aside": _lt("Take it back, and it is decided anew."),
	"checkin_deleted": _lt("Take it back, and the check-in is made again."),
}
"""What somebody can do about a reason; nothing where nothing has to be done."""

_SHIFT_STANDINGS = {
	"never_read": _lt("Attendance waits: {device} has not been read to its end yet under a right clock."),
	"device": _lt("Attendance can be judged up to {until}: until then all punches are here. Next: {device}."),
	"waiting_punch": _lt(
		"Attendance can be judged up to {until}: a punch of that time waits for its check-in."
	),
	"hrms": _lt(
		"Auto Update Last Sync is on: HRMS judges attendance whether terminals were read or not. Switch"
		" it off so that a terminal that cannot be read holds attendance back."
	),
}

_RUN_ENDS = {
	"interrupted": _lt(
		"The reading was cut off: its job was ended or got lost. What was read is kept, and the rest is read"
		" at the next try."
	),
	"withdrawn": _lt(
		"The terminal was disabled, or given to another Edge Agent or to none, before it was read. Fetch"
		" again."
	),
	"internal_error": _lt(
		"The reading met a fault of this app. What was read is kept; the Error Log says where it was."
	),
}
"""What ended a run, where it was no trouble with a terminal."""

_KNOWN_CODES = frozenset(code.value for code in Code)


class Facts(dict[str, Any]):
	"""What a sentence is made of; what is not known shows as a question mark."""

	def __missing__(self, key: str) -> str:
		return "?"


def sentence(error: BridgeError, where: str = "") -> str:
	"""What happened and what to do, in the language of the user.

	:param where: how people call the terminal; by default the host and port of the error.
	"""
	facts = Facts((key, harmless(value)) for key, value in error.details.items())
	facts["where"] = harmless(where) if where else _where(facts)
	seconds = facts.get("unlock_seconds")
	facts["unlock"] = _(" for another {0} seconds").format(seconds) if seconds else ""
	facts["help"] = str(facts["help"]).rstrip(".")
	return str(_template(error)).format_map(facts)


def _template(error: BridgeError) -> Any:
	if "configured_as" in error.details:
		return CONFIGURED_TWICE
	if "by_us" in error.details:
		return READ_BY_US
	return _SENTENCES[error.code]


def told_by_agent(code: str, where: str) -> str:
	"""`sentence` for the code of a trouble that an Edge Agent had with a terminal; it knows no more of it.

	:param where: how people call the terminal.
	"""
	if code in _KNOWN_CODES and code != Code.WRONG_DEVICE.value:
		return sentence(BridgeError(Code(code)), where)
	return _("{0} cannot be read. Its Edge Agent says: {1}").format(harmless(where), harmless(code))


def agents_camera(name: str, agent: str) -> str:
	"""Why the camera of an Edge Agent is neither read nor tested from the site."""
	return _(
		"{0} is the camera of the Edge Agent {1}: nobody calls it from here. Its punches come by themselves,"
		" and the agent tells every minute how it is: see Last Contact and the last error."
	).format(harmless(name), harmless(agent))


def pushes_by_itself(name: str) -> str:
	"""Why a terminal that pushes is neither read nor tested from the site."""
	return _(
		"{0} calls this site by itself, and cannot be called. Send Again, below Push, has it send the punches"
		" of the last days once more."
	).format(harmless(name))


def run_end(code: str) -> str:
	"""Why a run ended that neither came to its end nor was failed by its terminal."""
	return str(_RUN_ENDS[code])


def config_sentence(error: ConfigError, driver: str) -> str:
	"""`sentence` about a Device Configuration, with the labels of fields for the driver's names."""
	if error.code is Code.UNKNOWN_KEY:
		return sentence(error)
	path = str(error.details.get("path", ""))
	fieldname = driver_options.fieldname_of(driver, path)
	meta = frappe.get_meta("Device Configuration")
	label = _(meta.get_label(fieldname)) if meta.has_field(fieldname) else _(frappe.unscrub(path))
	return sentence(ConfigError(error.code, **{**error.details, "path": label}))


def no_network(line: str) -> str:
	"""What stands where networks should.

	:param line: of a `networks.parse` that failed.
	"""
	return _("{0} is no network. Write one a line, such as 192.0.2.0/24.").format(harmless(line))


_LISTENER_STATES = {
	"Set Up": _lt("It is set up to post its events here. Nothing has come yet."),
	"Not Kept": _lt("It is not set up to post its events here, or not any more. Set the listener up."),
	"Delivers": _lt("It posts its events here."),
	"Silent": _lt(
		"It is set up to post its events here, and does not. Restart it, or set the listener up again; it is"
		" read all the same."
	),
}


def listener_state(state: str | None) -> str:
	"""How it stands with a terminal that is to post its events; the field `listener_state`."""
	return str(_LISTENER_STATES[state or "Not Kept"])


def arrangement(made: Any) -> str:
	"""What a terminal made of being told to post its events.

	:param made: a `hikvision_isapi.http_hosts.Arrangement`.
	"""
	said = harmless(made.said)
	if made.not_kept:
		return _(
			"It took the setting and reads back otherwise ({0}): nothing will come. It is read all the same."
		).format(harmless(", ".join(made.not_kept)))
	if made.reaches_us is False:
		return _("It keeps the setting, but its own test does not reach this site: {0}").format(said or "?")
	if made.reaches_us is None:
		return _("It keeps the setting, and has no test. Whether anything comes shows at the next punch.")
	return _("It keeps the setting, and its test has reached this site.")


_POSTS_TO_AGENT = {
	"": _lt("Its agent has not told it yet to post its events."),
	"Set Up": _lt("It is set up to post its events to its agent. Nothing has come yet."),
	"Delivers": _lt("It posts its events to its agent."),
	"Silent": _lt(
		"It is set up to post its events to its agent, and does not. The agent sets it up again by itself; if"
		" that does not help, restart the terminal. It is read all the same."
	),
}


def posts_to_agent(posts: Any, state: str, label: str) -> str:
	"""What came of telling a terminal to post its events to its agent.

	:param posts: a `core.relay.PostsReport`.
	:param state: for the field `listener_state`.
	"""
	if posts.code == Code.SECRET_MISSING.value:
		return _("Its agent takes no events: give its receiver a token.")
	if posts.code:
		return told_by_agent(posts.code, label)
	if posts.not_kept:
		return _(
			"It took the setting and reads back otherwise ({0}): nothing will come. It is read all the same."
		).format(harmless(", ".join(posts.not_kept)))
	if state == "Not Kept":
		return _("It keeps the setting, but its own test does not reach its agent. It is read all the same.")
	return str(_POSTS_TO_AGENT[state])


def no_token() -> str:
	"""What was typed as a token cannot be one."""
	return _("A token has 16 to 64 letters, digits, - and _: it stands in the path of an address.")


def reason(code: str | None) -> str:
	"""Words for the reason codes that stand on a Punch Log; a code without words stands for itself."""
	if not code:
		return ""
	head, _colon, detail = code.partition(":")
	if head not in _REASONS:
		return harmless(code)
	return f"{_REASONS[head]} ({harmless(detail)})" if detail else str(_REASONS[head])


def reasons() -> dict[str, str]:
	"""All reason codes with their words, for lists and forms."""
	return {code: str(words) for code, words in _REASONS.items()}


def advice(code: str) -> str:
	"""What to do about a reason code; empty if nothing has to be done."""
	return str(_ADVICE.get(code, ""))


def shift_standing(standing: Any) -> str:
	"""How far a shift can be judged, and what holds it there.

	:param standing: a `bench.shifts.ShiftStanding`.
	"""
	until = standing.until
	return str(_SHIFT_STANDINGS[standing.holder.value]).format(
		device=harmless(standing.device),
		until=frappe.utils.format_datetime(moments.to_site(until)) if until is not None else "?",
	)


def _where(facts: Facts) -> str:
	host, port = facts.get("host"), facts.get("port")
	if host is None:
		return _("the terminal")
	return f"{host}:{port}" if port is not None else str(host)


def harmless(fact: object) -> str:
	"""What comes from outside, as it can stand in a sentence."""
	return str(fact)[:MAX_FACT_LENGTH].translate({ord("<"): "‹", ord(">"): "›"})


def in_site_language() -> AbstractContextManager[None]:
	"""What is said within is in the language of the site, whoever works: for what stays on record."""
	return print_language(frappe.get_system_settings("language") or "en")  # type: ignore[no-any-return]
