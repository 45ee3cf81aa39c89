"""Enrolment from real pictures with a real model, where they are there; see tests/recognition/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from attendance_bridge.edge.enrollment.entry import Enrollment, Source, Start, as_json
from attendance_bridge.edge.enrollment.session import State
from tests.edge.vision.rig import Scene, Sight, configuration, eventually, seeing
from tests.enrollment.office import jpeg, service
from tests.recognition.conftest import faces, lay_out

__all__ = ["faces"]

LARGER = 2
"""The pictures are small: the eyes are some 41 pixels apart, and 60 are asked for."""


@pytest.fixture
def sight(tmp_path: Path, scene: Scene) -> Iterator[Sight]:
	folder = tmp_path / "pack"
	folder.mkdir()
	pack = lay_out("scrfd_mobilefacenet", folder)
	# Made larger, they are not sharper: what is asked of a photo of that size is asked of these.
	mapping = configuration(
		tmp_path,
		recognition={"engine": "onnx", "pack": str(pack)},
		enrollment={"limits": {"sharpness": 10.0}},
	)
	with seeing(mapping, enrolled={}) as running:
		eventually(lambda: running.agent.roster.people())
		yield running


def photo(path: Path) -> bytes:
	picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
	assert picture is not None
	return jpeg(cv2.resize(np.asarray(picture), None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC))


def enrol(sight: Sight, employee: str, path: Path) -> Enrollment:
	entry = service(sight).start(
		Start(
			employee=employee,
			source=Source.PHOTO,
			consent_sha256=service(sight).consent_text.sha256,
			replace=True,
		)
	)
	service(sight).take_picture(entry.id, photo(path), Source.PHOTO)
	if not entry.session.over:
		service(sight).cancel(entry.id)
	return entry


def enrol_first_that_does(sight: Sight, employee: str, folder: Path) -> tuple[Enrollment, list[Path]]:
	"""The first picture of somebody that is good enough ends it; the pictures after that are returned too."""
	paths = sorted(folder.glob("*.jpg"))
	for place, path in enumerate(paths):
		entry = enrol(sight, employee, path)
		if entry.session.state is not State.CANCELLED:
			return entry, paths[place + 1 :]
	raise AssertionError(f"none of {folder.name} is good enough")


def test_a_real_picture_enrols(sight: Sight, faces: Path) -> None:
	enrolled = 0
	for folder in sorted(faces.iterdir()):
		entry, _rest = enrol_first_that_does(sight, "HR-EMP-1", folder)
		assert entry.session.state is State.SUBMITTED, as_json(entry)
		enrolled += 1
	assert enrolled >= 10
	assert service(sight).templates() == {"HR-EMP-1": 1}


def test_another_picture_of_somebody_else_is_caught(sight: Sight, faces: Path) -> None:
	"""Whoever is in the gallery as HR-EMP-1 is to be enrolled as HR-EMP-2 from another picture."""
	caught = tried = 0
	for folder in sorted(faces.iterdir()):
		_entry, rest = enrol_first_that_does(sight, "HR-EMP-1", folder)
		for path in rest:
			second = enrol(sight, "HR-EMP-2", path)
			if second.session.state is State.CANCELLED:
				continue  # not good enough to enrol anybody with
			tried += 1
			caught += second.session.state is State.TAKEN and second.session.owner == "HR-EMP-1"
			break
	assert tried >= 8
	assert caught >= tried - 1, f"{caught} of {tried}"


def test_a_picture_of_another_person_is_not_taken_for_theirs(sight: Sight, faces: Path) -> None:
	first, second = sorted(faces.iterdir())[:2]
	enrol_first_that_does(sight, "HR-EMP-1", first)
	entry, _rest = enrol_first_that_does(sight, "HR-EMP-2", second)
	assert entry.session.state is State.SUBMITTED
