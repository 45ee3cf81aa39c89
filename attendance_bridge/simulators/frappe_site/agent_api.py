"""The methods of the agent API under `/api/method`, as docs/protocols/agent-api.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.projection import Observation, State
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.simulators.frappe_site import errors, faces
from attendance_bridge.simulators.frappe_site.bridge import AGENT_ROLE, Bridge, HeldPunch, RelayedTerminal
from attendance_bridge.simulators.frappe_site.errors import SiteError, thrown
from attendance_bridge.simulators.frappe_site.records import Employee

MAX_PUNCHES = 1_000
MAX_BODY = 8 * 1024 * 1024
MAX_RAW = 64 * 1024
MAX_FOUND = 1_000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z")
_OUTCOMES = {State.UNMAPPED: "unmapped", State.REJECTED: "rejected"}

Form = Mapping[str, Any]


class _BadPunchError(Exception):
	"""What was sent is no punch at all."""


def call(bridge: Bridge, name: str, http_method: str, user: str, form: Form) -> object:
	"""
	:raises SiteError: not for this user, or the arguments are not what they should be.
	"""
	site = bridge.site
	if user not in bridge.agents or AGENT_ROLE not in site.roles or not bridge.agent_enabled:
		raise thrown(errors.NOT_PERMITTED, exc_type="PermissionError", status=403)
	if http_method != "POST":
		raise thrown(errors.NOT_PERMITTED, exc_type="PermissionError", status=403)
	if len(json.dumps(dict(form))) > MAX_BODY:
		raise _refused()
	bridge.counters[name.rpartition(".")[2]] += 1
	if name in FACE_METHODS:
		return FACE_METHODS[name](bridge, form, bridge.agents[user])
	return METHODS[name](bridge, form)


def _punches(bridge: Bridge, form: Form) -> object:
	rows = _rows(form.get("punches", []), MAX_PUNCHES)
	with bridge.site.lock:
		taken = [_take(bridge, row) for row in rows]
		if not bridge.decides_later:
			held_now = [held for held, known in taken if isinstance(held, HeldPunch) and not known]
			bridge.decide(held_now)
		receipts = [_receipt(row, held, known) for row, (held, known) in zip(rows, taken, strict=True)]
	return {"receipts": receipts}


def _take(bridge: Bridge, row: Form) -> tuple[HeldPunch | str, bool]:
	"""Hold a punch, raw. Returns it and whether it was known, or the reason why it is not held."""
	try:
		observation = _observation(row)
	except _BadPunchError:
		return "bad_punch", False
	punch = observation.punch
	known = bridge.punches.get(str(punch.punch_id))
	if known is not None:
		return known, True
	terminal = bridge.terminal(name=str(row.get("device") or ""), serial=punch.device_serial)
	if terminal is None:
		return "unknown_device", False
	terminal.serial = terminal.serial or punch.device_serial
	held = HeldPunch(observation=observation, terminal=terminal)
	bridge.punches[str(punch.punch_id)] = held
	return held, False


def _receipt(row: Form, held: HeldPunch | str, known: bool) -> dict[str, Any]:
	receipt = {"punch_id": row.get("punch_id"), "known": known, "status": "", "reason": ""}
	if isinstance(held, str):
		return {**receipt, "outcome": "rejected" if held == "bad_punch" else "retry", "reason": held}
	return {
		**receipt,
		"outcome": _OUTCOMES.get(held.state, "accepted"),
		"status": held.status,
		"reason": held.reason,
		"employee": held.employee,
		"log_type": held.log_type.value if held.log_type else "",
		"log_type_reason": held.log_type_reason,
		"checkin": held.checkin,
	}


def _observation(row: Form) -> Observation:
	try:
		moment = datetime.fromisoformat(row["wall_time"]).replace(
			tzinfo=_zone(row["time_zone"]), fold=row.get("fold", 0)
		)
		raw = row.get("raw", "")
		if not isinstance(raw, str) or len(raw.encode()) > MAX_RAW:
			raise _BadPunchError
		punch = Punch(
			device_serial=row["device_serial"],
			device_user_id=row["device_user_id"],
			occurred_at=moment,
			verify_mode=VerifyMode(row.get("verify_mode", "unknown")),
			device_key=DeviceKey(row.get("device_key", "undefined")),
			raw=raw,
		)
	except (KeyError, ValueError, TypeError, AttributeError):
		raise _BadPunchError from None
	if row.get("punch_id") != str(punch.punch_id):
		raise _BadPunchError
	reading, good_until = _clock(row.get("clock"))
	return Observation(punch=punch, reading=reading, clock_good_until=good_until)


def _clock(clock: object) -> tuple[ClockReading | None, datetime | None]:
	if clock is None:
		return None, None
	if not isinstance(clock, dict):
		raise _refused()
	read_at, offset, good_until = (clock.get(key) for key in ("read_at", "offset_seconds", "good_until"))
	good = None if good_until is None else _moment(good_until)
	if read_at is None or offset is None:
		return None, good
	taken_at = _moment(read_at)
	device_time = taken_at + timedelta(seconds=_typed(offset, (int, float)))
	return ClockReading(taken_at=taken_at, device_time=device_time), good


def _unreadable(bridge: Bridge, form: Form) -> object:
	rows = _rows(form.get("records", []), MAX_PUNCHES)
	with bridge.site.lock:
		before = len(bridge.unreadable)
		for row in rows:
			record = UnreadableRow(raw=_typed(row["raw"], str), reason=_typed(row["reason"], str))
			serial = _typed(row["device_serial"], str)
			bridge.unreadable.setdefault(str(record.identity(serial)), dict(row))
		return {"held": len(bridge.unreadable) - before}


def _roster(bridge: Bridge, form: Form) -> object:
	token, length = _typed(form.get("token", ""), str), _typed(form.get("page_length", 1000), int)
	since, _, after = token.partition("|")
	whole = not since
	with bridge.site.lock:
		changed = sorted(
			(
				each
				for each in bridge.site.employees
				if each.name not in bridge.gone and (whole or _stamp(each) >= since)
			),
			key=lambda each: (_stamp(each), each.name),
		)
		gone = [] if whole else sorted(bridge.gone)
	page = [each for each in changed if (_stamp(each), each.name) > (since, after)][:length]
	more = bool(page) and page[-1] is not changed[-1]
	last = page[-1] if page else None
	return {
		"people": [_person(each) for each in page],
		"gone": gone,
		"whole": whole,
		"more": more,
		"token": f"{_stamp(last)}|{last.name}" if last else token or "0|",
	}


def _stamp(employee: Employee) -> str:
	return employee.modified.isoformat()


def _person(each: Employee) -> dict[str, Any]:
	return {
		"employee": each.name,
		"attendance_device_id": each.attendance_device_id or "",
		"full_name": each.employee_name,
		"status": each.status,
		"department": each.department or "",
		"designation": each.designation or "",
		"company": each.company or "",
		"branch": each.branch or "",
		"shift": each.default_shift or "",
	}


def _devices(bridge: Bridge, form: Form) -> object:
	with bridge.site.lock:
		return {
			"revision": bridge.revision,
			"devices": [_device(each) for each in bridge.terminals],
			"rules": dict(bridge.rules),
		}


def _device(each: RelayedTerminal) -> dict[str, Any]:
	return {key: getattr(each, key) for key in each.__slots__}


def _heartbeat(bridge: Bridge, form: Form) -> object:
	for key, wanted in (("version", str), ("waiting", int), ("revision", str)):
		_typed(form.get(key, wanted()), wanted)
	with bridge.site.lock:
		for report in _rows(form.get("devices", []), 2_000):
			terminal = bridge.terminal(name=_typed(report.get("name"), str))
			if terminal is None:
				continue
			terminal.serial = terminal.serial or _typed(report.get("serial", ""), str)
			for key in ("last_contact", "last_pull", "watermark", "clock_good_until"):
				if report.get(key) is not None:
					_moment(report[key])
			bridge.fulfil(report)
			_keep_counted(bridge, terminal.name, report.get("counted"))
		_keep_found(bridge, form.get("found"))
		bridge.heartbeats.append(dict(form))
		now = datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)
		return {
			"now": f"{now.isoformat()}Z",
			"revision": bridge.revision,
			"read_now": [*bridge.wishes],
			"scan": bridge.scan,
			"counts": [{"name": name, **wish} for name, wish in bridge.counts.items()],
		}


def _keep_counted(bridge: Bridge, name: str, told: object) -> None:
	if told is None:
		return
	counted: dict[str, Any] = _typed(told, dict)
	_rows(counted.get("spans", []), 32)
	wish = bridge.counts.get(name)
	if wish is not None and counted.get("token") == wish["token"]:
		bridge.counted[wish["token"]] = counted
		del bridge.counts[name]


def _keep_found(bridge: Bridge, found: object) -> None:
	if found is None:
		return
	told: dict[str, Any] = _typed(found, dict)
	_rows(told.get("terminals", []), MAX_FOUND)
	if bridge.scan is not None and told.get("token") == bridge.scan["token"]:
		bridge.found[bridge.scan["token"]] = told
		bridge.scan = None


def _rows(value: object, limit: int) -> list[dict[str, Any]]:
	rows: list[Any] = _typed(value, list)
	if len(rows) > limit or not all(isinstance(row, dict) for row in rows):
		raise _refused()
	return rows


def _typed(value: object, wanted: Any) -> Any:
	if isinstance(value, bool) or not isinstance(value, wanted):
		raise _refused()
	return value


def _moment(value: object) -> datetime:
	found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
	if found is None:
		raise _refused()
	return datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)


def _zone(name: str) -> ZoneInfo:
	try:
		return ZoneInfo(name)
	except (OSError, LookupError):
		raise _BadPunchError from None


def _refused() -> SiteError:
	return thrown(errors.BAD_ARGUMENTS)


def _templates(bridge: Bridge, form: Form, agent: str) -> object:
	consents = [_consent(row) for row in _rows(form.get("consents", []), faces.MAX_CONSENTS)]
	sent = _rows(form.get("templates", []), faces.MAX_TEMPLATES)
	replaced = _typed(form.get("replaced", []), list)
	with bridge.site.lock:
		shelf, people = bridge.faces, _statuses(bridge)
		for consent in consents:
			if consent["employee"] in people:
				shelf.note(consent)
		for employee in {shelf.templates[each]["employee"] for each in replaced if each in shelf.templates}:
			own = [each for each in replaced if shelf.templates.get(each, {}).get("employee") == employee]
			shelf.erase(employee, "replaced", faces.second(_now()), own)
		receipts = []
		for row in sent:
			row = {**row, "captured_at": faces.second(_spelt(row.get("captured_at")))}
			outcome, reason, known = shelf.put(row, people)
			found = {"outcome": outcome, "known": known, "reason": reason}
			receipts.append({"template_id": row.get("template_id"), **found})
	return {"receipts": receipts}


def _faces(bridge: Bridge, form: Form, agent: str) -> object:
	token, length = _typed(form.get("token", ""), str), _typed(form.get("page_length", 100), int)
	models = _typed(form.get("models", []), list)
	if len(models) > faces.MAX_MODELS:
		raise _refused()
	with bridge.site.lock:
		return bridge.faces.page(agent, token, length, models, bridge.gone)


def _erasures(bridge: Bridge, form: Form, agent: str) -> object:
	told = {
		key: _rows(form.get(key, []), faces.MAX_ERASURES) for key in ("withdrawals", "requests", "confirmed")
	}
	with bridge.site.lock:
		shelf, people = bridge.faces, _statuses(bridge)
		acts = {"withdrawals": shelf.withdraw, "requests": shelf.request}
		done = {
			key: sum(
				act(row["employee"], faces.second(_spelt(row.get("at"))))
				for row in told[key]
				if row.get("employee") in people
			)
			for key, act in acts.items()
		}
		confirmed = sum(shelf.confirm(agent, row) for row in told["confirmed"])
	return {"withdrawn": done["withdrawals"], "requested": done["requests"], "confirmed": confirmed}


def _consent(row: Form) -> dict[str, Any]:
	withdrawn = row.get("withdrawn_at")
	return {
		**row,
		"given_at": faces.second(_spelt(row.get("given_at"))),
		"withdrawn_at": faces.second(_spelt(withdrawn)) if withdrawn else None,
	}


def _statuses(bridge: Bridge) -> dict[str, str]:
	return {each.name: each.status for each in bridge.site.employees if each.name not in bridge.gone}


def _spelt(moment: object) -> str:
	_moment(moment)
	return str(moment)


def _now() -> str:
	return datetime.now(timezone.utc).isoformat()


FACE_METHODS: Mapping[str, Callable[[Bridge, Form, str], object]] = {
	"attendance_bridge.api.edge.templates": _templates,
	"attendance_bridge.api.edge.faces": _faces,
	"attendance_bridge.api.edge.erasures": _erasures,
}

METHODS: Mapping[str, Callable[[Bridge, Form], object]] = {
	"attendance_bridge.api.ingest.punches": _punches,
	"attendance_bridge.api.ingest.unreadable": _unreadable,
	"attendance_bridge.api.edge.roster": _roster,
	"attendance_bridge.api.edge.devices": _devices,
	"attendance_bridge.api.edge.heartbeat": _heartbeat,
}
"""What a site with the app knows besides."""


def is_known(name: str) -> bool:
	"""Whether a site with the app has this method besides."""
	return name in METHODS or name in FACE_METHODS
