from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
pytest.importorskip("cv2", reason="the extra `recognition` is not installed")

from tests.edge.vision.rig import KEY_VARIABLE, Scene, new_key


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv(KEY_VARIABLE, new_key())


@pytest.fixture
def scene() -> Iterator[Scene]:
	with Scene().playing() as played:
		yield played
