"""Where real models and faces are, and the packs that the tests run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attendance_bridge.recognition import tiny
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.pack import MANIFEST, known_manifests, known_texts

BESIDE = Path(__file__).parents[3] / "shared"
VARIABLE = "ATTENDANCE_BRIDGE_MODELS"


def real_models() -> Path:
	return Path(os.environ.get(VARIABLE, BESIDE / "models"))


def lay_out(name: str, folder: Path) -> Path:
	"""A known pack in `folder`, its networks linked to the real ones; skips the test where there are none."""
	for file in known_manifests()[name].files:
		source = real_models() / file.name
		if not source.is_file():
			pytest.skip(f"the model {file.name} is not here: put it into {real_models()} or set {VARIABLE}")
		(folder / file.name).symlink_to(source)
	(folder / MANIFEST).write_text(known_texts()[name], encoding="utf-8")
	return folder


@pytest.fixture(scope="session")
def faces() -> Path:
	"""A folder with a folder of pictures for each of several people."""
	folder = real_models().parent / "faces"
	if not folder.is_dir():
		pytest.skip(f"there are no pictures of faces at {folder}")
	return folder


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
	return tiny.make_pack(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_engine(tiny_pack: Path) -> Engine:
	return open_engine(EngineKind.ONNX, tiny_pack, threads=1)
