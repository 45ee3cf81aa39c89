"""What can happen to pushing terminals: somebody punches, the network goes, all of them start at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.adms_terminal import rows
from attendance_bridge.simulators.adms_terminal.rows import Entry, Template, User
from attendance_bridge.simulators.adms_terminal.state import FAULTS, AdmsState, Dialect


def punch(
	state: AdmsState,
	user_id: str,
	verify_mode: VerifyMode = VerifyMode.FACE,
	device_key: DeviceKey = DeviceKey.CHECK_IN,
) -> Entry:
	"""Somebody identifies at this moment of the terminal's clock.

	:raises KeyError: nobody of this id is enrolled.
	"""
	if state.find_user(user_id) is None:
		raise KeyError(user_id)
	return state.record(user_id, None, verify_mode, device_key)


def deny(state: AdmsState, user_id: str = rows.DEVICE_ITSELF) -> Entry:
	"""Somebody is turned away; in the security dialect that is an event like a punch, even with their id in
	it."""
	return state.record(user_id, None, event=rows.EVENT_DENIED)


def open_door(state: AdmsState) -> Entry:
	"""The door tells that it was opened: an event of the device itself."""
	return state.record(rows.DEVICE_ITSELF, None, event=rows.EVENT_DOOR_OPENED)


def enroll(state: AdmsState, user_id: str, name: str = "", card: str = "") -> User:
	"""Enrol somebody at the terminal, which tells its server.

	:raises ValueError: the id does not fit or the terminal is full.
	"""
	user = User(user_id, name, card=card)
	state.put_user(user)
	if state.dialect is Dialect.SECURITY:
		state.report("user", rows.user_3(user, state.uid_of(user_id)))
	else:
		state.report("OPERLOG", rows.operation(30, "0", state.wall_now(), user_id))
		state.report("OPERLOG", rows.user_2(user))
	return user


def give_template(state: AdmsState, user_id: str, kind: int = 9, content: str = "U0lNVUxBVEVE") -> Template:
	"""A template is taken at the terminal, which tells its server."""
	made = Template(user_id, kind, 0, 10 if kind == 1 else 58, 0, content)
	with state.lock:
		state.templates.append(made)
	is_security = state.dialect is Dialect.SECURITY
	state.report("biodata" if is_security else "BIODATA", rows.template(made, lower_case=is_security))
	return made


def reboot(state: AdmsState) -> None:
	"""Pull the plug and put it back; what it holds stays."""
	state.wants_reboot = True
	state.wake()


def boot_storm(states: Iterable[AdmsState]) -> None:
	"""The power comes back for all of them at the same moment."""
	for state in states:
		state.reboot_seconds = 0.0
		reboot(state)


def unplug(state: AdmsState) -> None:
	"""Take the network away; people punch all the same."""
	state.is_unplugged = True


def plug_in(state: AdmsState) -> None:
	state.is_unplugged = False
	state.wake()


def jump_clock(state: AdmsState, by: timedelta) -> None:
	"""Let the clock jump; the server's next `Date` puts it right, if the terminal listens to it."""
	state.clock.ahead += by


def set_fault(state: AdmsState, fault: str) -> None:
	"""
	:raises KeyError: there is no such fault in `FAULTS`.
	"""
	if fault not in FAULTS:
		raise KeyError(fault)
	state.faults.add(fault)


def clear_fault(state: AdmsState, fault: str) -> None:
	"""Repair it; a fault that is not there needs no repair."""
	state.faults.discard(fault)
