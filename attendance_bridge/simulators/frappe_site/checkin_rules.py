"""What happens to an Employee Checkin on its way into the table: HRMS's rules, in HRMS's order.

Link to the employee, permission, time, inactive employee, duplicate, shift, coordinates, then the field
checks of the framework. After `employee_checkin.py` of hrms v15 and `Document.insert` of frappe v15.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime

from attendance_bridge.simulators.frappe_site import errors
from attendance_bridge.simulators.frappe_site.collation import fold
from attendance_bridge.simulators.frappe_site.doctypes import EMPLOYEE_CHECKIN
from attendance_bridge.simulators.frappe_site.errors import HRMS, SiteError, crashed, no_role, thrown
from attendance_bridge.simulators.frappe_site.records import CheckIn, Employee
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.values import as_integer, as_number, parse_datetime

MAX_DATA_LENGTH = 140


def insert(
	state: SiteState,
	user: str,
	documents: Sequence[Mapping[str, object]],
	*,
	window: Callable[[], None],
	commit: bool,
) -> list[CheckIn]:
	"""Check all `documents`, then hold all of them, or none if one is refused.

	:param window: called between check and insert, where a real site lets another transaction slip through.
	:param commit: False for a request that the site rolls back at its end (a GET).
	:raises SiteError: one of them is refused.
	"""
	with state.strict_lock if state.strict else nullcontext():
		checked: list[CheckIn] = []
		for document in documents:
			checked.append(_check(state, user, document, beside=checked))  # each sees those before it
		window()
		if commit:
			state.insert(checked)
		else:
			_name_for_show(state, checked)
	return checked


def _check(
	state: SiteState, user: str, document: Mapping[str, object], *, beside: Iterable[CheckIn]
) -> CheckIn:
	employee = _linked_employee(state, document.get("employee"))
	if not state.permits(user, EMPLOYEE_CHECKIN):
		raise no_role(user, EMPLOYEE_CHECKIN.name, traceback=False)
	moment = _moment(state, document.get("time"))
	row = _row(state, user, employee, moment.replace(tzinfo=None), document)
	if employee is not None and employee.status == "Inactive":
		raise thrown(
			errors.INACTIVE,
			f'<a href="/app/employee/{employee.name}">{employee.name}</a>',
			exc_type="InactiveEmployeeStatusError",
			module="erpnext.setup.doctype.employee.employee",
			source=HRMS,
		)
	_refuse_duplicate(state, row, beside)
	if moment.tzinfo is not None:
		# The look for a shift compares it with the naive bounds of the day.
		raise crashed("TypeError", "can't compare offset-naive and offset-aware datetimes", source=HRMS)
	_locate(state, row)
	_check_fields(state, row)
	return row


def _linked_employee(state: SiteState, name: object) -> Employee | None:
	if not name:
		return None
	employee = state.employees.find(name)
	if employee is None:
		raise thrown(errors.NO_SUCH_LINK, name, exc_type="LinkValidationError")
	return employee


def _moment(state: SiteState, value: object) -> datetime:
	if value is None:
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
	return CheckIn(
		creation=state.now(),
		owner=user,
		employee=employee.name if employee else "",
		employee_name=employee.employee_name if employee else None,
		time=moment,
		log_type=None if log_type is None else str(log_type).strip() if log_type else "",
		device_id=None if device_id is None else str(device_id),
		skip_auto_attendance=1 if as_integer(document.get("skip_auto_attendance")) else 0,
		latitude=as_number(document.get("latitude")),
		longitude=as_number(document.get("longitude")),
	)


def _refuse_duplicate(state: SiteState, row: CheckIn, beside: Iterable[CheckIn]) -> None:
	with state.lock:
		rivals = state.table.at(row.employee, row.time)
	# What the same request inserted before is in its transaction already.
	own = [each for each in beside if fold(each.employee) == fold(row.employee) and each.time == row.time]
	for rival in (*rivals, *own):
		if rival.log_type_key == row.log_type_key:
			link = f'<a href="/app/Form/Employee Checkin/{rival.name}" style="font-weight: bold;">'
			raise thrown(errors.DUPLICATE, f"{link}Employee Checkin {rival.name}</a>", source=HRMS)


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
			messages=((errors.MISSING_VALUE, ("Employee",)),),
		)
	if row.log_type and row.log_type not in ("IN", "OUT"):
		raise thrown(errors.NOT_A_CHOICE, row.log_type)
	if row.device_id is not None and len(row.device_id) > MAX_DATA_LENGTH:
		raise thrown(
			errors.TOO_LONG,
			f"Employee Checkin {state.table.next_name(row.creation)}",
			"<strong>Location / Device ID</strong>",
			exc_type="CharacterLengthExceededError",
		)


def _name_for_show(state: SiteState, rows: Iterable[CheckIn]) -> None:
	for row in rows:
		row.name = state.table.next_name(row.creation)
