"""The camera of an edge agent, as a terminal that a site knows. Nobody pulls it: the agent tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NoReturn
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import DeviceInfo, DriverSpec, Now, Page, Window
from attendance_bridge.core.errors import Code, DeviceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Nothing: what there is to configure stands in the file of the agent."""


class Driver:
	"""Says that the agent relays it, whatever is asked: a Device Configuration of it needs its Edge Agent."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="Camera of an edge agent", capabilities=frozenset(), config=Config, pulled=False
	)

	def __init__(self, config: Config, *, zone: ZoneInfo, now: Now) -> None:
		"""Opens nothing."""

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
		raise DeviceError(Code.NOT_SUPPORTED)
