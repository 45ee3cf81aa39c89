from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance_bridge.edge import poller
from attendance_bridge.edge.web import server
from tests.edge.rig import Clock, Edge


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
	"""A clock that is set by hand wakes nobody: let the poller see soon that it was, and all see a stop."""
	monkeypatch.setattr(poller, "LOOK_EVERY_SECONDS", 0.02)
	monkeypatch.setattr(server, "LOOK_UP_SECONDS", 0.02)


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def edge(tmp_path: Path, clock: Clock) -> Iterator[Edge]:
	opened = Edge(tmp_path, clock)
	yield opened
	opened.close()
