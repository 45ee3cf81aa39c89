"""The questions that are asked of a site, in its own terms: DocTypes, filters, site time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.upstream import CheckIn
from attendance_bridge.upstreams._frappe import answers
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.erpnext_rest.posted import read_time

ADD_LOG = "hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"

MAX_DEVICE_ID_LENGTH = 140
"""Length of `Employee Checkin.device_id`; a longer one is refused."""
MAX_QUERY_BYTES = 2_500
"""Of the quoted filters. Gunicorn takes a request line of 4,094 bytes."""
MAX_HELD_ROWS = 500

Filter = tuple[str, str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCheckIn:
	"""An Employee Checkin as the site lists it."""

	name: str
	employee: str
	time: str
	"""Site time, YYYY-MM-DD HH:MM:SS."""
	log_type: str
	device_id: str


def site_time(moment: datetime, zone: ZoneInfo) -> str:
	"""`moment` (aware) as HRMS keeps it: wall time of the site, no offset, whole seconds."""
	return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def post_check_in(client: Client, check_in: CheckIn, zone: ZoneInfo) -> answers.Answer:
	"""Post one check-in to HRMS.

	The employee is named by the document's own key: `attendance_device_id` was resolved before, and an
	unknown key is the only way in which this method can miss the person.

	:raises AnswerLostError: it may have been entered.
	:raises UpstreamError: it was certainly not sent.
	"""
	fields = {
		"employee_field_value": check_in.employee,
		"employee_fieldname": "name",
		"timestamp": site_time(check_in.punch.occurred_at, zone),
		"device_id": check_in.punch.device_serial[:MAX_DEVICE_ID_LENGTH],
	}
	if check_in.log_type is not None:
		fields["log_type"] = check_in.log_type.value
	return client.post(f"/api/method/{ADD_LOG}", fields)


def call(client: Client, method: str, **arguments: str) -> object:
	"""Ask a whitelisted method that changes nothing.

	:raises UpstreamError: a `RefusedError` if the site itself says no.
	"""
	return answers.read_message(client.get(f"/api/method/{method}", arguments))


def list_rows(
	client: Client,
	doctype: str,
	fields: Sequence[str],
	*,
	filters: Sequence[Filter] = (),
	start: int = 0,
	length: int,
) -> Sequence[Mapping[str, object]]:
	"""One page of documents, ordered by name.

	:raises UpstreamError: a `RefusedError` if the site itself says no.
	"""
	query = {
		"fields": _compact(fields),
		"limit_start": str(start),
		"limit_page_length": str(length),
		"order_by": "name asc",
	}
	if filters:
		query["filters"] = _compact(filters)
	return answers.read_rows(client.get(f"/api/resource/{doctype}", query))


def employee_exists(client: Client, employee: str) -> bool:
	"""Whether the user can see such an Employee.

	By a filter, not by `GET /api/resource/Employee/<name>`: a name may hold what a path cannot.
	"""
	return bool(list_rows(client, "Employee", ["name"], filters=[("name", "=", employee)], length=1))


def find_held(client: Client, check_ins: Sequence[CheckIn], zone: ZoneInfo) -> dict[UUID, HeldCheckIn]:
	"""Which of the check-ins the site holds, by punch_id.

	:raises UpstreamError: not all could be looked up.
	"""
	found: dict[UUID, HeldCheckIn] = {}
	for group in _groups(check_ins, zone):
		rows = _held_rows(client, group, zone)
		for check_in in group:
			match = _match(check_in, rows, zone)
			if match is not None:
				found[check_in.punch.punch_id] = match
	return found


def _held_rows(client: Client, group: Sequence[CheckIn], zone: ZoneInfo) -> list[HeldCheckIn]:
	filters: list[Filter] = [
		("employee", "in", sorted({check_in.employee for check_in in group})),
		("time", "in", sorted({site_time(check_in.punch.occurred_at, zone) for check_in in group})),
	]
	fields = ["name", "employee", "time", "log_type", "device_id"]
	rows = list_rows(client, "Employee Checkin", fields, filters=filters, length=MAX_HELD_ROWS)
	if len(rows) < MAX_HELD_ROWS:
		return [_read_held(row) for row in rows]
	if len(group) == 1:
		raise UpstreamError(Code.TOO_LARGE, doctype="Employee Checkin")
	middle = len(group) // 2
	return _held_rows(client, group[:middle], zone) + _held_rows(client, group[middle:], zone)


def _groups(check_ins: Iterable[CheckIn], zone: ZoneInfo) -> Iterator[list[CheckIn]]:
	group: list[CheckIn] = []
	size = 0
	for check_in in check_ins:
		written = _compact([check_in.employee, site_time(check_in.punch.occurred_at, zone)])
		added = len(quote(written, safe=""))
		if group and size + added > MAX_QUERY_BYTES:
			yield group
			group, size = [], 0
		group.append(check_in)
		size += added
	if group:
		yield group


def _match(check_in: CheckIn, rows: Iterable[HeldCheckIn], zone: ZoneInfo) -> HeldCheckIn | None:
	"""The row that is this check-in: from the same terminal, or one that HRMS would call its duplicate.

	The terminal alone is enough: the direction may have been inferred anew since it was sent. The direction
	alone is enough too: HRMS's own rule is employee, time and log_type, blank being equal to none.
	"""
	time = site_time(check_in.punch.occurred_at, zone)
	log_type = check_in.log_type.value if check_in.log_type else ""
	# MariaDB's collation found the row without regard to case; two such names cannot stand side by side.
	employee = check_in.employee.casefold()
	same_moment = [row for row in rows if row.employee.casefold() == employee and row.time == time]
	for row in same_moment:
		if is_ours(row, check_in):
			return row
	return next((row for row in same_moment if row.log_type == log_type), None)


def is_ours(row: HeldCheckIn, check_in: CheckIn) -> bool:
	"""Whether the row names the terminal that the check-in came from."""
	return row.device_id == check_in.punch.device_serial[:MAX_DEVICE_ID_LENGTH]


def _read_held(row: Mapping[str, object]) -> HeldCheckIn:
	name, employee = answers.name_of(row), row.get("employee")
	if not name or not isinstance(employee, str):
		raise UpstreamError(Code.GARBAGE, retryable=True, doctype="Employee Checkin")
	return HeldCheckIn(
		name=name,
		employee=employee,
		time=read_time(row.get("time")),
		log_type=str(row.get("log_type") or "").strip(),
		device_id=str(row.get("device_id") or ""),
	)


def _compact(value: object) -> str:
	# Not escaped to ASCII: \uXXXX would take twice the room of the quoted UTF-8.
	return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
