"""Punches and people as pages and programs get them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.direction import Reason
from attendance_bridge.core.person import Person
from attendance_bridge.core.projection import State
from attendance_bridge.edge.cells import unicode_text
from attendance_bridge.edge.messages import CORRECTIONS
from attendance_bridge.edge.web.access.scopes import Caller
from attendance_bridge.edge.web.services import Services
from attendance_bridge.edge.web.services import services as current_services
from attendance_bridge.stores import entered
from attendance_bridge.stores.corrections import Correction, CorrectionRefusedError, Corrections, Effect
from attendance_bridge.stores.log import Filters, LogEntry

NO_ZONE = ZoneInfo("UTC")
BY_HAND = "by_hand"
"""Why a punch that somebody entered is IN or OUT."""
RETRIED = frozenset({State.REJECTED, State.UNMAPPED})
"""What may be tried again all at once; whether a time can be believed is looked at one by one."""


def filters_of(
	services: Services,
	*,
	day: date | None = None,
	state: str | None = None,
	employee: str | None = None,
	device: str | None = None,
	device_user_id: str | None = None,
) -> Filters:
	"""What somebody asks for, in the words of the log.

	:param day: at the place of the agent.
	:param device: a name or a serial number.
	"""
	since = until = None
	if day is not None:
		zone = services.settings.agent.zone if services.settings else NO_ZONE
		# The first and the last day of the calendar have no midnight before or after them in UTC.
		if date.min < day < date.max - timedelta(days=1):
			since = datetime.combine(day, time(), zone)
			until = datetime.combine(day + timedelta(days=1), time(), zone)
		else:
			since = until = datetime(1970, 1, 1, tzinfo=zone)
	return Filters(
		since=since,
		until=until,
		state=State(state) if state else None,
		employee=employee or None,
		device_serial=serial_of(services, device) if device else None,
		device_user_id=device_user_id or None,
	)


def serial_of(services: Services, device: str) -> str:
	serials = services.book.serials() if services.book else {}
	return serials.get(device) or (entered.BY_HAND if device == entered.SOURCE else device)


def device_names(services: Services) -> dict[str, str]:
	"""The names of the terminals, by serial; and of what stands in the place of one."""
	serials = services.book.serials() if services.book else {}
	others = {entered.BY_HAND: entered.SOURCE} if services.by_hand is not None else {}
	return {**others, **{serial: name for name, serial in serials.items() if serial}}


def people_names(services: Services) -> dict[str, str]:
	"""The full name of each employee who has one."""
	return {person.employee: person.full_name for person in people(services) if person.full_name}


def people(services: Services) -> list[Person]:
	return services.roster.people() if services.roster else []


def at_place(moment: datetime) -> str:
	"""A moment as the clock on the wall of the agent showed it, for people."""
	return f"{clock_at_place(moment):%Y-%m-%d %H:%M}"


def clock_at_place(moment: datetime) -> datetime:
	settings = current_services().settings
	return moment.astimezone(settings.agent.zone if settings else NO_ZONE)


def position_text(entry: LogEntry) -> str:
	at, punch_id = entry.position
	return f"{at}.{punch_id.hex}"


def position_of(text: str) -> tuple[int, uuid.UUID]:
	"""The inverse of `position_text`.

	:raises ValueError: it is none.
	"""
	at, _, punch_id = text.partition(".")
	return int(at), uuid.UUID(punch_id)


def punch_view(entry: LogEntry, devices: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
	held, punch = entry.held, entry.held.punch
	employee = held.employee or entry.entered_for
	is_as_entered = entry.entered_for and held.log_type_reason == Reason.CORRECTED.value
	return {
		"punch_id": punch.punch_id,
		"occurred_at": punch.occurred_at,
		"wall_time": punch.wall_time.isoformat(sep=" "),
		"device": unicode_text(devices.get(punch.device_serial, punch.device_serial)),
		"device_serial": unicode_text(punch.device_serial),
		"device_user_id": unicode_text(punch.device_user_id),
		"employee": unicode_text(employee),
		"name": unicode_text(names.get(employee, "")),
		"verify_mode": punch.verify_mode.value,
		"log_type": held.log_type.value if held.log_type else "",
		"log_type_reason": BY_HAND if is_as_entered else held.log_type_reason,
		"state": held.state.value,
		"state_reason": held.state_reason,
		"error_code": unicode_text(held.error_code),
		"reference": unicode_text(held.reference),
		"received_at": held.received_at,
		"by_hand": bool(entry.entered_for),
		"correction": correction_view(entry.correction),
	}


def correction_view(correction: Correction | None) -> dict[str, Any] | None:
	if correction is None:
		return None
	return {
		"kind": correction.kind.value,
		"why": unicode_text(correction.why),
		"made_by": unicode_text(correction.made_by),
		"made_at": correction.made_at,
		"effect": correction.effect.value,
	}


def effect_words(services: Services) -> dict[str, str]:
	"""What became of a correction, by its code."""
	words = {effect.value: CORRECTIONS[effect.value] for effect in Effect}
	if services.workdays is not None:
		words[Effect.DELIVERED_STAYS.value] = CORRECTIONS["ledger_stays"]
	return words


def refusal_words(corrections: Corrections, error: CorrectionRefusedError) -> str:
	"""Why a correction was not taken."""
	near = f"{clock_at_place(error.near):%H:%M:%S}" if error.near else ""
	seconds = f"{corrections.apart.total_seconds():g}"
	return CORRECTIONS[error.refusal.value].format(at=near, seconds=seconds)


def enrolled(services: Services) -> tuple[dict[str, int], set[str]] | None:
	"""How many usable templates each person has, and who has only unusable ones; None without a gallery."""
	if services.gallery is None or services.vision is None:
		return None
	model = services.vision.live.state.model
	counts = services.gallery.counts()
	return counts.get(model, {}), set(services.gallery.outdated(model))


def person_view(person: Person, templates: tuple[dict[str, int], set[str]] | None) -> dict[str, Any]:
	number = templates[0].get(person.employee, 0) if templates else 0
	if templates is None:
		state = "unknown"
	elif number:
		state = "enrolled"
	else:
		state = "again" if person.employee in templates[1] else "missing"
	return {
		"employee": unicode_text(person.employee),
		"attendance_device_id": unicode_text(person.attendance_device_id),
		"full_name": unicode_text(person.full_name),
		"status": unicode_text(person.status),
		"department": unicode_text(person.department),
		"designation": unicode_text(person.designation),
		"enrollment": state,
		"templates": number,
	}


def outdated(services: Services) -> int:
	"""How many of the people here must be enrolled again: all their templates are of other models."""
	templates = enrolled(services)
	if templates is None:
		return 0
	return sum(person.employee in templates[1] for person in people(services))


def find_people(
	services: Services, q: str, *, enrollment: Collection[str] | None = None
) -> list[dict[str, Any]]:
	"""People whose name or id contains `q`, by name.

	:param enrollment: only people of whom one of these is true; see `api.schemas.ENROLLMENT`.
	"""
	wanted = q.casefold().strip()
	templates = enrolled(services)
	found = [
		person_view(person, templates)
		for person in people(services)
		if wanted in f"{person.full_name}\0{person.employee}\0{person.attendance_device_id}".casefold()
	]
	if enrollment is not None:
		found = [view for view in found if view["enrollment"] in enrollment]
	return sorted(found, key=lambda view: (view["full_name"].casefold(), view["employee"]))


def retry(services: Services, state: State, asking: Caller) -> int:
	"""Let every rejected, or every unmapped, punch be decided and sent again; returns how many.

	:raises ValueError: of another state; or the site decides, not this agent.
	"""
	if state not in RETRIED or services.punches is None or services.site_decides:
		raise ValueError("not to be tried again here")
	number = services.punches.reopen(state)
	services.access.audit.write(
		"punches_retried",
		who=asking.who,
		address=asking.address,
		at=services.now(),
		subject=state.value,
		details=str(number),
	)
	services.wake_uploader()
	services.pulse.beat()
	return number
