"""What happens to an Employee Checkin on its way into the table: HRMS's rules, in HRMS's order.

Link to the employee, permission, time, inactive employee, duplicate, shift, coordinates, then the field
checks of the framework. After `employee_checkin.py` of hrms v15 and `Document.insert` of frappe v15.

One thing is stricter than some sites: frappe 15.72.4 was seen to accept a link to an Employee that does not
exist, because HRMS fetches the name along with the link; later versions refuse it, and so does this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime

from attendance_bridge.simulators.frappe_site import errors
from attendance_bridge.simulators.frappe_site.collation import fold
from attendance_bridge.simulators.frappe_site.doctypes import EMPLOYEE_CHECKIN
from attendance_bridge.simulators.frappe_site.errors import (
	HRMS,
	Said,
	SiteError,
	crashed,
	no_role,
	thrown,
)
from attendance_bridge.simulators.frappe_site.records import CheckIn, Employee, NameTakenError
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.values import as_integer, as_number, parse_datetime

MAX_DATA_LENGTH = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
	"""Who inserts, and how."""

	user: str
	origin: str
	"""The site's address as the client spells it, for links."""
	window: Callable[[], None]
	"""Called between check and insert, where a real site lets another transaction slip through."""
	commits: bool
	"""False for a request that the site rolls back at its end (a GET)."""


def insert(
	state: SiteState, request: Request, documents: Sequence[Mapping[str, object]], *, named: bool
) -> list[CheckIn]:
	"""Check all `documents`, then hold all of them, or none if one is refused.

	:param named: whether a document may bring its name, as through `/api/resource`; a taken one is refused.
	:raises SiteError: one of them is refused.
	"""
	with state.strict_lock if state.strict else nullcontext():
		checked: list[CheckIn] = []
		for document in documents:
			row = _check(state, request, document, beside=checked)  # each sees those before it
			row.name = str(document.get("name") or "") if named else ""
			checked.append(row)
		request.window()
		if request.commits:
			_hold(state, checked)
		else:
			_name_for_show(state, checked)
	return checked


def _check(
	state: SiteState, request: Request, document: Mapping[str, object], *, beside: Sequence[CheckIn]
) -> CheckIn:
	employee = _linked_employee(state, document.get("employee"))
	if not state.permits(request.user, EMPLOYEE_CHECKIN, "create"):
		raise no_role(request.user, EMPLOYEE_CHECKIN.name, traceback=False)
	if employee is not None and not state.shows(employee.name):
		raise _hidden(request.user, employee.name)
	moment = _moment(state, document.get("time"))
	row = _row(state, request.user, employee, moment.replace(tzinfo=None), document)
	if employee is not None and employee.status == "Inactive":
		raise thrown(
			errors.INACTIVE,
			f'<a href="{request.origin}/app/employee/{employee.name}">{employee.name}</a>',
			exc_type="InactiveEmployeeStatusError",
			module="erpnext.setup.doctype.employee.employee",
			source=HRMS,
		)
	_refuse_duplicate(state, row, beside)
	_look_for_shift(employee, moment)
	_locate(state, row)
	_check_fields(state, row)
	if moment.tzinfo is not None:
		where = "for column `tabEmployee Checkin`.`time` at row 1"
		text = f"(1292, \"Incorrect datetime value: '{moment}' {where}\")"
		raise crashed("OperationalError", text, module="pymysql.err", source=HRMS)
	return row


def _hold(state: SiteState, rows: Sequence[CheckIn]) -> None:
	try:
		state.insert(rows)
	except NameTakenError as taken:
		name = f"{taken}"
		raise SiteError(
			409,
			"DuplicateEntryError",
			"('Employee Checkin', '{}', IntegrityError(1062, \"Duplicate entry '{}' for key 'PRIMARY'\"))",
			name,
			name,
			messages=[Said(errors.EXISTS, ("Employee Checkin", name), errors.SAME_NAME, "red")],
		) from None


def _hidden(user: str, employee: str) -> SiteError:
	"""A User Permission keeps the employee from the user."""
	return SiteError(
		403,
		"PermissionError",
		source=HRMS,
		messages=[Said(errors.HIDDEN, (employee,))],
		hint=(errors.NEED_CREATE, ()),
	)


def _linked_employee(state: SiteState, name: object) -> Employee | None:
	if not name:
		return None
	employee = state.employees.find(name)
	if employee is None:
		raise thrown(errors.NO_SUCH_LINK, name, exc_type="LinkValidationError")
	return employee


def _moment(state: SiteState, value: object) -> datetime:
	may_write_time = bool(state.roles & EMPLOYEE_CHECKIN.roles)
	if value is None or not may_write_time:
		# What the user may not write falls back to its default, and that of `time` is the present.
		return state.now().replace(microsecond=0)
	try:
		return parse_datetime(value).replace(microsecond=0)
	except SiteError as error:
		error.source = HRMS
		raise


def _row(
	state: SiteState, user: str, employee: Employee | None, moment: datetime, document: Mapping[str, object]
) -> CheckIn:
	log_type, device_id = document.get("log_type"), document.get("device_id")
	if isinstance(log_type, (list, dict)):
		raise crashed("ValueError", "not enough values to unpack (expected 2, got 1)", source=HRMS)
	if isinstance(device_id, list):
		raise thrown(errors.NO_LIST, "Location / Device ID", source=HRMS)
	if isinstance(device_id, dict):
		raise crashed("TypeError", "dict can not be used as parameter", source=HRMS)
	return CheckIn(
		creation=state.now(),
		owner=user,
		employee=employee.name if employee else "",
		employee_name=employee.employee_name if employee else None,
		time=moment,
		log_type=str(log_type or "").strip(),
		device_id=None if device_id is None else str(device_id),
		skip_auto_attendance=1 if as_integer(document.get("skip_auto_attendance")) else 0,
		latitude=as_number(document.get("latitude")),
		longitude=as_number(document.get("longitude")),
	)


def _refuse_duplicate(state: SiteState, row: CheckIn, beside: Sequence[CheckIn]) -> None:
	with state.lock:
		rivals = [(rival.name, rival) for rival in state.table.at(row.employee, row.time)]
		# What the same request inserted before is in its transaction already.
		for position, own in enumerate(beside):
			if fold(own.employee) == fold(row.employee) and own.time == row.time:
				rivals.append((own.name or state.table.next_name(own.creation, position), own))
	for name, rival in rivals:
		if rival.log_type_key == row.log_type_key:
			link = f'<a href="/app/Form/Employee Checkin/{name}" style="font-weight: bold;">'
			raise thrown(errors.DUPLICATE, f"{link}Employee Checkin {rival.employee_name}</a>", source=HRMS)


def _look_for_shift(employee: Employee | None, moment: datetime) -> None:
	"""There is none here, but the look alone stumbles over some times."""
	if moment.tzinfo is not None and employee is not None and employee.default_shift:
		# It compares the time with the naive bounds of the shift.
		raise crashed("TypeError", "can't compare offset-naive and offset-aware datetimes", source=HRMS)
	if moment.date() == date.max:
		raise crashed("OverflowError", "date value out of range", source=HRMS)


def _locate(state: SiteState, row: CheckIn) -> None:
	if "geolocation" not in state.faults:
		return
	if not (row.latitude or row.longitude):
		raise thrown(errors.NO_COORDINATES, source=HRMS)
	point = {"type": "Point", "coordinates": [row.longitude, row.latitude]}
	row.geolocation = json.dumps(
		{
			"type": "FeatureCollection",
			"features": [{"type": "Feature", "properties": {}, "geometry": point}],
		}
	)


def _check_fields(state: SiteState, row: CheckIn) -> None:
	if not row.employee:
		raise SiteError(
			417,
			"MandatoryError",
			"[Employee Checkin, {}]: employee",
			state.table.next_name(row.creation),
			messages=[Said(errors.MISSING_VALUE, ("Employee",))],
		)
	if row.log_type and row.log_type not in ("IN", "OUT"):
		raise thrown(errors.NOT_A_CHOICE, row.log_type)
	if row.device_id is not None and len(row.device_id) > MAX_DATA_LENGTH:
		raise thrown(
			errors.TOO_LONG,
			f"Employee Checkin {state.table.next_name(row.creation)}",
			"<strong>Location / Device ID</strong>",
			row.device_id,
			exc_type="CharacterLengthExceededError",
			title=errors.TOO_BIG,
		)
	try:
		(row.device_id or "").encode()
	except UnicodeEncodeError as error:
		raise crashed("UnicodeEncodeError", str(error), source=HRMS) from None


def _name_for_show(state: SiteState, rows: Iterable[CheckIn]) -> None:
	for row in rows:
		row.name = row.name or state.table.next_name(row.creation)
