"""Enrollments on a whole agent with drawn faces; their page in the browser of the other pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
pytest.importorskip("cv2", reason="the extra `recognition` is not installed")

from attendance_bridge.edge.cameras import simulated
from tests.edge.conftest import compile_once, hash_cheaply
from tests.edge.vision.conftest import _key
from tests.edge.vision.rig import Scene
from tests.edge.web.conftest import chromium, open_page

__all__ = ["_key", "chromium", "compile_once", "hash_cheaply", "open_page"]


@pytest.fixture
def scene() -> Iterator[Scene]:
	# The camera keeps the scene of a configuration for whoever opens it again; the next test has another.
	simulated._scene_of.cache_clear()
	with Scene().playing() as played:
		yield played
