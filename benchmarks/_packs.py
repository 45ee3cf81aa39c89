"""The model packs that the benchmarks of recognition run, laid out from a folder of model files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NoReturn

from attendance_bridge.recognition.pack import MANIFEST, known_manifests, known_texts

BESIDE = Path(__file__).parents[2] / "shared" / "models"
VARIABLE = "ATTENDANCE_BRIDGE_MODELS"


def add_models_option(parser: argparse.ArgumentParser) -> None:
	parser.add_argument(
		"--models",
		type=Path,
		default=Path(os.environ.get(VARIABLE, BESIDE)),
		help=f"folder of model files (default: {VARIABLE} or %(default)s)",
	)


def skip(why: str) -> NoReturn:
	"""End without a figure, and without a failure: what is to be measured is not here."""
	print(f"skipped: {why}")
	raise SystemExit


def lay_out(name: str, models: Path, folder: Path) -> Path:
	"""A known pack in `folder`, which must exist; its networks are linked to those in `models`."""
	pack = folder / name
	pack.mkdir()
	for file in known_manifests()[name].files:
		if not (models / file.name).is_file():
			skip(f"the model {file.name} is not in {models}")
		(pack / file.name).symlink_to((models / file.name).resolve())
	(pack / MANIFEST).write_text(known_texts()[name], encoding="utf-8")
	return pack
