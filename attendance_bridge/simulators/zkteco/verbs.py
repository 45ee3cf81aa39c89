"""What a person, or a test, can do to a terminal that stands on the wall."""

from __future__ import annotations

from datetime import datetime, timedelta

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.zkteco.records import LogRow, TerminalUser
from attendance_bridge.simulators.zkteco.state import FAULTS, ZktecoState


def punch_now(
	state: ZktecoState,
	user_id: str,
	*,
	verify_mode: VerifyMode = VerifyMode.FACE,
	device_key: DeviceKey = DeviceKey.CHECK_IN,
) -> LogRow | None:
	"""An enrolled user identifies at this moment of the terminal's clock.

	None if the terminal was disabled: the person was turned away and the punch never existed.

	:raises KeyError: nobody of this id is enrolled.
	"""
	return state.punch(user_id, verify_mode, device_key)


def set_clock(state: ZktecoState, wall_time: datetime) -> None:
	"""Set the terminal's clock at its keypad.

	:param wall_time: naive.
	"""
	state.set_clock(wall_time)


def jump_clock(state: ZktecoState, by: timedelta) -> None:
	"""Let the terminal's clock jump."""
	state.set_clock(state.wall_now() + by)


def clear_log(state: ZktecoState) -> None:
	"""Delete all punches."""
	state.clear_log()


def reboot(state: ZktecoState) -> None:
	"""Pull the plug and put it back; the terminal is away for `state.reboot_seconds`."""
	set_fault(state, "reboot")


def set_fault(state: ZktecoState, fault: str) -> None:
	"""
	:raises KeyError: there is no such fault in `FAULTS`.
	"""
	if fault not in FAULTS:
		raise KeyError(fault)
	state.faults.add(fault)


def clear_fault(state: ZktecoState, fault: str) -> None:
	"""Repair it; a fault that is not there needs no repair."""
	state.faults.discard(fault)


def add_user(state: ZktecoState, user_id: str, *, name: str = "", card: int = 0) -> TerminalUser:
	"""Enrol somebody at the terminal.

	:raises ValueError: the id is taken or does not fit this model.
	"""
	return state.add_user(user_id, name=name, card=card)


def remove_user(state: ZktecoState, user_id: str) -> None:
	"""Delete somebody at the terminal; their punches stay in the log.

	:raises KeyError: nobody of this id is enrolled.
	"""
	user = state.find_user(user_id)
	if user is None:
		raise KeyError(user_id)
	state.remove_user(user.uid)
