"""A terminal that pushes by itself, as a terminal that the site or an agent knows. Nobody pulls it."""

from __future__ import annotations

from typing import ClassVar

from attendance_bridge.core.driver import DriverSpec, NeverAsked
from attendance_bridge.drivers.zkteco_adms.config import Config


class Driver(NeverAsked):
	"""Refuses whatever is asked: the terminal calls by itself, and `receiver.Receiver` answers it."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="ZKTeco push (ADMS)", capabilities=frozenset(), config=Config, pulled=False
	)
