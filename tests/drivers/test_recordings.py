"""Every recording is played to the real driver, and what came out when it was recorded must come out again.

ATTENDANCE_BRIDGE_RECORDINGS names a folder with more of them: the diagnostics that somebody sent.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attendance_bridge import drivers
from attendance_bridge.core.recording import Recording
from tests.drivers.replay import replay

RECORDINGS = Path(__file__).parent.parent / "recordings"
FILES = sorted(RECORDINGS.glob("*.json"))
if more := os.environ.get("ATTENDANCE_BRIDGE_RECORDINGS"):
	FILES += sorted(Path(more).glob("*.json"))


def load(file: Path) -> Recording:
	return Recording.from_text(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recording_comes_out_as_it_did(file: Path) -> None:
	recording = load(file)
	assert replay(recording) == list(recording.expected)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recording_is_written_as_it_was_read(file: Path) -> None:
	text = file.read_text(encoding="utf-8")
	assert Recording.from_text(text).to_text() == text


@pytest.mark.parametrize("key", [key for key in drivers.names() if drivers.load(key).spec.pulled])
def test_there_are_recordings_of_every_driver(key: str) -> None:
	assert any(load(file).driver == key for file in FILES)
