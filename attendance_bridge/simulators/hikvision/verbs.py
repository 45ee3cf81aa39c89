"""What can happen to a terminal: somebody punches, the power fails, an administrator makes changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.simulators.hikvision import history
from attendance_bridge.simulators.hikvision.events import MAJOR_EVENT, Event
from attendance_bridge.simulators.hikvision.service import HikvisionTerminal
from attendance_bridge.simulators.hikvision.state import FAULTS, HikvisionState, TerminalUser


def enroll(state: HikvisionState, employee_no: str, name: str = "", card_no: str = "") -> None:
	"""Make a person known to the terminal, or rename them."""
	with state.lock:
		state.people[employee_no] = TerminalUser(employee_no=employee_no, name=name, card_no=card_no)


def punch(
	state: HikvisionState,
	employee_no: str,
	verify_mode: VerifyMode = VerifyMode.FACE,
	device_key: DeviceKey = DeviceKey.UNDEFINED,
	at: datetime | None = None,
) -> Event:
	"""Somebody identifies; the door opens for them.

	:param at: what the terminal's clock says then (aware); now by that clock if it is not given.
	:returns: the event of the identification; those of the door follow it in the log.
	"""
	with state.lock:
		second, offset = _moment(state, at)
		person = state.people.get(employee_no)
		event = history.record_pass(
			state.log,
			second,
			offset,
			employee_no=employee_no,
			card_no=person.card_no if person else "",
			verify_mode=verify_mode,
			device_key=device_key,
		)
		# The door is done at once, so that the next to punch does not seem to come before it.
		history.record_door(state.log, 0, second, offset, until=second)
		state.grew()
		return event


def fail(state: HikvisionState, minor: int, card_no: str = "", at: datetime | None = None) -> Event:
	"""Somebody is not recognised.

	:param minor: for example `events.MINOR_FACE_FAILED`.
	"""
	with state.lock:
		second, offset = _moment(state, at)
		event = state.log.record(MAJOR_EVENT, minor, second, offset, card_no=card_no)
		state.grew()
		return event


def set_fault(state: HikvisionState, fault: str, *, on: bool = True) -> None:
	"""Switch a fault of FAULTS on or off.

	:raises ValueError: there is no such fault.
	"""
	if fault not in FAULTS:
		raise ValueError(f"unknown fault: {fault}")
	with state.lock:
		if on:
			state.faults.add(fault)
		else:
			state.faults.discard(fault)


def lock_out(state: HikvisionState, seconds: float | None = None) -> None:
	"""Lock the account, for as long as the terminal locks or for `seconds`."""
	with state.lock:
		state.lockout.lock(seconds)


def unlock(state: HikvisionState) -> None:
	"""An administrator unlocks the account."""
	with state.lock:
		state.lockout.unlock()


def change_password(state: HikvisionState, password: str) -> None:
	with state.lock:
		state.guard.password = Secret(password)


def expire_nonces(state: HikvisionState) -> None:
	"""Make every client authenticate anew, with stale=TRUE."""
	with state.lock:
		state.guard.forget_nonces()


def jump_clock(state: HikvisionState, by: timedelta) -> None:
	"""Put the terminal's clock forward, or back by a negative `by`."""
	with state.lock:
		state.clock.ahead += by


def reboot(terminal: HikvisionTerminal, seconds: float | None = None) -> None:
	"""Restart: refuses connections for `seconds`, or for as long as this terminal takes."""
	terminal.reboot(seconds)


def _moment(state: HikvisionState, at: datetime | None) -> tuple[int, int]:
	moment = state.time() if at is None else at.astimezone(state.clock.zone)
	offset = moment.utcoffset() or timedelta()
	return int(moment.timestamp()), int(offset.total_seconds())
