"""Receivers of check-ins. The file name is the key: a new file is a new upstream, with no table to edit."""

from __future__ import annotations

from attendance_bridge.core import registry
from attendance_bridge.core.upstream import Upstream


def names() -> tuple[str, ...]:
	"""The upstreams that are there, sorted."""
	return registry.names(__path__)


def load(key: str) -> type[Upstream]:
	"""The class of one upstream.

	:raises KeyError: there is no such upstream.
	"""
	found: type[Upstream] = registry.load(__name__, __path__, key).Upstream
	return found
