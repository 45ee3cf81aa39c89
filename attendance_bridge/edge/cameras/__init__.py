"""Kinds of cameras. The file name is the key: a new file is a new kind, with no table to edit."""

from __future__ import annotations

from attendance_bridge.core import registry
from attendance_bridge.edge.frame import Camera


def names() -> tuple[str, ...]:
	"""The kinds that are there, sorted."""
	return registry.names(__path__)


def load(key: str) -> type[Camera]:
	"""The class of one kind; its `spec` tells the options.

	:raises KeyError: there is no such kind.
	"""
	found: type[Camera] = registry.load(__name__, __path__, key).Camera
	return found
