from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
pytest.importorskip("cv2", reason="the extra `recognition` is not installed")

from attendance_bridge.edge.cameras import simulated
from tests.edge.vision.rig import KEY_VARIABLE, Scene, new_key

MODELS = Path(os.environ.get("ATTENDANCE_BRIDGE_MODELS", Path(__file__).parents[3] / "shared" / "models"))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv(KEY_VARIABLE, new_key())


@pytest.fixture
def scene() -> Iterator[Scene]:
	simulated._scene_of.cache_clear()  # whoever played before is not there any more
	with Scene().playing() as played:
		yield played
