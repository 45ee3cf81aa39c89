"""Terminal families. The file name is the key: a new file is a new driver, with no table to edit."""

from __future__ import annotations

from attendance_bridge.core import registry
from attendance_bridge.core.driver import Driver


def names() -> tuple[str, ...]:
	"""The drivers that are there, sorted."""
	return registry.names(__path__)


def pulled() -> tuple[str, ...]:
	"""Those whose terminals are read; the others call by themselves."""
	return tuple(name for name in names() if load(name).spec.pulled)


def load(key: str) -> type[Driver]:
	"""The class of one driver.

	:raises KeyError: there is no such driver.
	"""
	found: type[Driver] = registry.load(__name__, __path__, key).Driver
	return found
