"""One terminal, looked at before it is configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import DeviceInfo, Now, read_clock
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.reader import open_driver


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalFinding:
	"""Who answers."""

	info: DeviceInfo
	reading: ClockReading | None
	"""None where the terminal does not tell its time."""


def look_at_terminal(table: Mapping[str, object], now: Now) -> TerminalFinding:
	"""Ask the terminal of a `[[devices]]` table who it is and what its clock says; one try of its password.

	:param table: with its secrets as `Secret` under their plain keys.
	:raises ConfigError: the table cannot be used.
	:raises DeviceError: it does not answer, or refuses us.
	"""
	device = edge_settings.from_mapping({"devices": [table]}).devices[0]
	with open_driver(device, now) as driver:
		return TerminalFinding(info=driver.identify(), reading=read_clock(driver))
