"""The camera of an edge agent, as a terminal that a site knows. Nobody pulls it: the agent tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attendance_bridge.core.driver import DriverSpec, NeverAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Nothing: what there is to configure stands in the file of the agent."""


class Driver(NeverAsked):
	"""Says that the agent relays it, whatever is asked: a Device Configuration of it needs its Edge Agent."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="Camera of an edge agent", capabilities=frozenset(), config=Config, pulled=False
	)
