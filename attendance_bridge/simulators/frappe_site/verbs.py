"""What a person or a test can do to the site while it runs."""

from __future__ import annotations

from datetime import datetime, timezone

from attendance_bridge.core.projection import State
from attendance_bridge.simulators.frappe_site.bridge import Bridge
from attendance_bridge.simulators.frappe_site.faces import second
from attendance_bridge.simulators.frappe_site.records import CheckIn, Employee
from attendance_bridge.simulators.frappe_site.state import FAULTS, SiteState


def hire(state: SiteState, name: str, *, device_id: str | None = None, status: str = "Active") -> Employee:
	"""Create an Employee.

	:raises ValueError: the name or the device id is taken.
	"""
	now = state.now()
	employee = Employee(
		name=name,
		employee_name=f"Employee {name}",
		attendance_device_id=device_id,
		status=status,
		creation=now,
		modified=now,
	)
	with state.lock:
		state.employees.add(employee)
	return employee


def set_status(state: SiteState, name: str, status: str) -> None:
	"""Make an employee Active, Inactive, Suspended or Left."""
	_touch(state, name).status = status


def set_device_id(state: SiteState, name: str, device_id: str | None) -> None:
	"""Fill in (or clear) an employee's attendance_device_id.

	:raises ValueError: it belongs to somebody else.
	"""
	employee = _touch(state, name)
	with state.lock:
		state.employees.change_device_id(employee, device_id)


def look_again(bridge: Bridge) -> int:
	"""Decide what waits (received or unmapped) once more, as the app does by itself; returns how many."""
	with bridge.site.lock:
		waiting = [held for held in bridge.punches.values() if held.state in (State.RECEIVED, State.UNMAPPED)]
		bridge.decide(waiting)
	return len(waiting)


def add_agent(bridge: Bridge, name: str) -> tuple[str, str]:
	"""Make another Edge Agent; returns its API key and secret."""
	user = f"{name.lower()}@agents.invalid"
	key, secret = f"key-{len(bridge.agents)}", f"secret-of-{name}"
	with bridge.site.lock:
		bridge.agents[user] = name
		bridge.faces.agents.add(name)
		bridge.site.other_keys[key] = (secret, user)
	return key, secret


def withdraw_consent(bridge: Bridge, employee: str) -> None:
	"""Press Withdraw on the Employee."""
	with bridge.site.lock:
		bridge.faces.withdraw(employee, second(datetime.now(timezone.utc).isoformat()))


def keep_no_templates(bridge: Bridge, *, on: bool = True) -> None:
	"""Switch "Store Nothing Central" on or off."""
	with bridge.site.lock:
		bridge.faces.central = not on
		if on:
			bridge.faces.templates.clear()


def dismiss(bridge: Bridge, name: str) -> None:
	"""Delete an employee."""
	_employee(bridge.site, name)
	bridge.gone.add(name)


def want_read(bridge: Bridge, name: str) -> None:
	"""Press Fetch Check-in on a relayed terminal."""
	with bridge.site.lock:
		bridge.wishes[name] = datetime.now(timezone.utc)


def want_scan(bridge: Bridge, token: str, *networks: str) -> None:
	"""Press Find Terminals on an Edge Agent with some ranges (CIDR)."""
	with bridge.site.lock:
		bridge.scan = {"token": token, "networks": [*networks]}


def want_count(
	bridge: Bridge, name: str, token: str, *spans: tuple[datetime, datetime], again: bool = False
) -> None:
	"""Have a relayed terminal say how many punches it holds in some days, as the site does at night."""
	told = [{"start": _rfc3339(start), "end": _rfc3339(end)} for start, end in spans]
	with bridge.site.lock:
		bridge.counts[name] = {"token": token, "spans": told, "again": again}


def _rfc3339(moment: datetime) -> str:
	return f"{moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()}Z"


def enter_checkin(state: SiteState, name: str, time: datetime, log_type: str | None = None) -> CheckIn:
	"""Enter a check-in by hand or by another tool: no rule looks at it.

	:param time: naive, in the site's zone.
	"""
	employee = _employee(state, name)
	row = CheckIn(
		creation=state.now(),
		owner="Administrator",
		employee=employee.name,
		employee_name=employee.employee_name,
		time=time.replace(microsecond=0),
		log_type=log_type,
	)
	state.insert([row])
	return row


def set_faults(state: SiteState, *faults: str, every: int = 3, limit: int | None = None) -> None:
	"""Play these faults and no others, counting from here.

	:param every: strike every so many-th request; 1 strikes all.
	:param limit: strike at most so many times each.
	:raises ValueError: there is no such fault.
	"""
	unknown = set(faults) - FAULTS.keys()
	if unknown or every < 1:
		raise ValueError(f"no such fault: {', '.join(sorted(unknown))}" if unknown else "every is 1 or more")
	with state.lock:
		for counter in [name for name in state.counters if name.startswith(("seen:", "fault:"))]:
			del state.counters[counter]
		state.fault_every, state.fault_limit = every, limit
		state.faults = set(faults)


def clear_faults(state: SiteState) -> None:
	"""Everything works again."""
	set_faults(state)


def change_secret(state: SiteState, api_secret: str) -> None:
	"""Generate new keys for the user: the old secret is void from now on."""
	state.api_secret = api_secret


def _employee(state: SiteState, name: str) -> Employee:
	found = state.employees.find(name)
	if found is None:
		raise ValueError(f"no employee {name}")
	return found


def _touch(state: SiteState, name: str) -> Employee:
	employee = _employee(state, name)
	employee.modified = state.now()
	return employee
