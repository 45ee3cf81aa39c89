"""A terminal that pushes by itself, as a terminal that the site or an agent knows. Nobody pulls it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NoReturn
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import DeviceInfo, DriverSpec, Now, Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.drivers.zkteco_adms.config import Config


class Driver:
	"""Refuses whatever is asked: the terminal calls by itself, and `receiver.Receiver` answers it."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="ZKTeco push (ADMS)", capabilities=frozenset(), config=Config, pulled=False
	)

	def __init__(self, config: Config, *, zone: ZoneInfo, now: Now) -> None:
		self._config = config

	def identify(self) -> DeviceInfo:
		self._refuse()

	def read_clock(self) -> ClockReading:
		self._refuse()

	def set_clock(self, moment: object) -> None:
		self._refuse()

	def count(self, window: Window) -> int | None:
		self._refuse()

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		self._refuse()

	def close(self) -> None:
		"""Nothing was opened."""

	def __enter__(self) -> Driver:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()

	def _refuse(self) -> NoReturn:
		raise DeviceError(Code.NOT_SUPPORTED, host=self._config.host, port=self._config.port)
