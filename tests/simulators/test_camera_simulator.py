"""The drawn scene, its video file and its stream, looked at with OpenCV and FFmpeg."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from attendance_bridge.core import drawn_face as scheme

cv2 = pytest.importorskip("cv2")
np = pytest.importorskip("numpy")

from attendance_bridge.simulators.camera import CameraState, RtspCamera, verbs, video  # noqa: E402  # needs cv2
from attendance_bridge.simulators.camera.face import Look  # noqa: E402
from attendance_bridge.simulators.camera.plays import PLAYS  # noqa: E402
from attendance_bridge.simulators.camera.state import WALK_SECONDS, Trouble  # noqa: E402

SHARED = Path(__file__).parents[3] / "shared"


def still() -> CameraState:
	return CameraState(clock=lambda: 0.0)


def dots(frame: Any) -> list[tuple[float, float]]:
	"""The middle of each of the five dots, where it is to be seen, found by colour alone."""
	found = []
	for red, green, blue in scheme.DOT_COLOURS:
		near = (np.abs(frame.astype(int) - (blue, green, red)) < 60).all(axis=2)
		if near.sum() < 20:
			continue
		rows, columns = near.nonzero()
		found.append((float(columns.mean()), float(rows.mean())))
	return found


def frame_of(state: CameraState, second: float) -> Any:
	return state.frame(state.number_at(second))


# the drawing


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.2, 2.5])
def test_a_face_has_its_landmarks_where_the_scheme_says(scale: float) -> None:
	state = still()
	verbs.come(state, 3, at=-10.0, scale=scale)
	found = dots(frame_of(state, 0.0))
	assert len(found) == 5
	middle = found[0][0] + 18 * scale, found[0][1] + 4 * scale
	for (x, y), (wanted_x, wanted_y) in zip(found, scheme.LANDMARKS, strict=True):
		assert x - middle[0] == pytest.approx((wanted_x - 56) * scale, abs=0.8)
		assert y - middle[1] == pytest.approx((wanted_y - 56) * scale, abs=0.8)


def test_people_have_the_cells_of_their_codes() -> None:
	for person in (0, 1, 31, 899):
		state = still()
		verbs.come(state, person, at=-10.0, scale=2.0)
		frame = frame_of(state, 0.0)
		eye_x, eye_y = dots(frame)[0]
		for number, (red, green, blue) in enumerate(scheme.code_of(person)):
			row, column = divmod(number, scheme.COLUMNS)
			x = eye_x + 2 * (scheme.CELL_LEFT + (column + 0.5) * scheme.CELL_WIDTH - 38)
			y = eye_y + 2 * (scheme.CELL_TOP + (row + 0.5) * scheme.CELL_HEIGHT - 52)
			assert np.abs(frame[round(y), round(x)].astype(int) - (blue, green, red)).max() <= 6


@pytest.mark.parametrize(
	("look", "across", "down"), [(Look(yaw=0.5), 9, 0), (Look(yaw=-1), -18, 0), (Look(pitch=0.5), 0, -10)]
)
def test_a_turned_head_moves_the_nose(look: Look, across: float, down: float) -> None:
	state = still()
	visitor = verbs.come(state, 3, at=-10.0, scale=2.0)
	straight = dots(frame_of(state, 0.0))
	verbs.turn(state, visitor, look, at=-1.0)
	turned = dots(frame_of(state, 0.0))
	assert turned[2][0] - straight[2][0] == pytest.approx(2 * across, abs=0.8)
	assert turned[2][1] - straight[2][1] == pytest.approx(2 * down, abs=0.8)
	for still_point in (0, 1, 3, 4):
		assert turned[still_point] == pytest.approx(straight[still_point], abs=0.5)


def test_a_head_leans() -> None:
	state = still()
	visitor = verbs.come(state, 3, at=-10.0, scale=2.0)
	verbs.turn(state, visitor, Look(roll=20), at=-1.0)
	left, right = dots(frame_of(state, 0.0))[:2]
	assert math.degrees(math.atan2(left[1] - right[1], right[0] - left[0])) == pytest.approx(20, abs=1)


def paper(frame: Any) -> int:
	blue, green, red = (frame[:, :, channel].astype(int) for channel in range(3))
	return int(((red > 200) & (green > 200) & (blue < 60)).sum())


def test_a_photograph_has_a_border() -> None:
	state = still()
	verbs.hold_up_photo(state, 3, at=-10.0, scale=1.0)
	# 2 × (132 + 152) × 6 pixels, a little more or less at the corners.
	assert paper(frame_of(state, 0.0)) == pytest.approx(2 * (132 + 152) * 6, rel=0.1)
	verbs.go(state, state.visitors[0], at=-5.0)
	assert paper(frame_of(state, 0.0)) == 0


# the scene


def test_somebody_comes_stays_and_goes() -> None:
	state = still()
	verbs.come(state, 1, at=2.0, stay=4.0)
	seen = {second: len(dots(frame_of(state, second))) for second in (0.0, 1.9, 4.0, 5.5, 8.0, 20.0)}
	assert seen == {0.0: 0, 1.9: 0, 4.0: 5, 5.5: 5, 8.0: 0, 20.0: 0}
	walk = [dots(frame_of(state, 2.0 + WALK_SECONDS * part))[0][0] for part in (0.6, 0.8, 1.0)]
	assert walk == sorted(walk)


def test_two_stand_beside_each_other() -> None:
	state = still()
	verbs.come(state, 1, at=-10.0, place=0.25)
	verbs.come(state, 2, at=-10.0, place=0.75)
	frame = frame_of(state, 0.0)
	assert len(dots(frame[:, :320])) == len(dots(frame[:, 320:])) == 5


def test_the_same_seed_and_second_give_the_same_picture() -> None:
	states = [still(), still(), CameraState(seed=8, clock=lambda: 0.0)]
	for state in states:
		PLAYS["two-people"](state)
	first, second, other = (state.frame(350) for state in states)
	assert (first == second).all()
	assert (first != other).any()
	# Whatever was asked for in between.
	states[0].frame(2)
	assert (states[0].frame(350) == second).all()


def test_a_wall_trembles_and_does_not_move() -> None:
	state = still()
	difference = np.abs(state.frame(0).astype(int) - state.frame(1))
	assert 0 < difference.max() <= 4


def sharpness(frame: Any) -> float:
	"""Of the face in the middle."""
	return float(cv2.Laplacian(frame[180:300, 260:380], cv2.CV_64F).var())


def test_light_and_lens() -> None:
	state = still()
	verbs.come(state, 1, at=-10.0)
	clear = frame_of(state, 0.0)
	verbs.trouble(state, Trouble.DARK, at=1.0, seconds=1.0)
	verbs.trouble(state, Trouble.BLUR, at=3.0)
	dark, blurred = frame_of(state, 1.5), frame_of(state, 3.5)
	assert dark.mean() < 0.12 * clear.mean()
	assert sharpness(blurred) < 0.1 * sharpness(clear)
	verbs.relieve(state, Trouble.BLUR, at=4.0)
	assert sharpness(frame_of(state, 4.5)) > 0.8 * sharpness(clear)
	assert [state.has(Trouble.BLUR, second) for second in (2.9, 3.0, 3.9, 4.0)] == [False, True, True, False]


def test_a_real_picture_moves_through_the_scene(tmp_path: Path) -> None:
	checks = np.indices((60, 50)).sum(axis=0) % 2 * 255
	cv2.imwrite(str(tmp_path / "a.png"), np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8))
	state = still()
	verbs.come(state, tmp_path / "a.png", at=-10.0, scale=2.0)
	shown = frame_of(state, 0.0)[128:352, 220:420]
	assert cv2.Laplacian(shown, cv2.CV_64F).var() > 1000
	with pytest.raises(ValueError, match="no picture"):
		verbs.come(state, Path(__file__))


def test_a_real_face_in_the_scene_is_found_by_a_real_detector() -> None:
	model, people = SHARED / "models" / "face_detection_yunet_2023mar.onnx", SHARED / "faces"
	if not model.is_file() or not people.is_dir():
		pytest.skip("the model and the pictures for trying are not here")
	state = still()
	verbs.come(state, sorted(people.glob("*/*.jpg"))[0], at=1.0, scale=2.5)
	detector = cv2.FaceDetectorYN.create(str(model), "", (640, 480), 0.7)
	assert detector.detect(frame_of(state, 0.5))[1] is None
	found = detector.detect(frame_of(state, 4.0))[1]
	assert len(found) == 1
	assert abs(found[0][0] + found[0][2] / 2 - 320) < 60


@pytest.mark.parametrize("play", PLAYS)
def test_every_play_draws_every_frame(play: str) -> None:
	state = CameraState(width=320, height=240, fps=2, clock=lambda: 0.0)
	seconds = PLAYS[play](state)
	frames = [state.frame(number) for number in range(int(seconds * 2))]
	assert {frame.shape for frame in frames} == {(240, 320, 3)}
	assert {str(frame.dtype) for frame in frames} == {"uint8"}
	if play != "nobody":
		assert max(len(dots(frame)) for frame in frames) == 5


# a video file


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_a_scene_is_written_as_a_video(tmp_path: Path, ending: str) -> None:
	state = CameraState(fps=10, clock=lambda: 0.0)
	verbs.come(state, 1, at=-5.0)
	verbs.trouble(state, Trouble.UNPLUGGED, at=1.0, seconds=0.5)
	path = tmp_path / f"scene{ending}"
	assert video.write(state, path, 2.0) == 15
	shown = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
	frames = [frame for taken, frame in iter(shown.read, (False, None)) if taken]
	shown.release()
	assert len(frames) == 15
	assert np.abs(frames[3].astype(int) - state.frame(3)).mean() < 3
	assert len(dots(frames[3])) == 5


def test_a_video_that_cannot_be_written_is_told(tmp_path: Path) -> None:
	with pytest.raises(ValueError, match=r"\.avi"):
		video.write(still(), tmp_path / "scene.gif", 1.0)
	with pytest.raises(OSError, match="scene"):
		video.write(still(), tmp_path / "nowhere" / "scene.avi", 1.0)


# the stream


@contextmanager
def served(**options: Any) -> Iterator[RtspCamera]:
	camera = RtspCamera(CameraState(width=320, height=240), **options)
	verbs.come(camera.state, 1, at=-10.0)
	camera.start()
	try:
		yield camera
	finally:
		camera.stop()


def play(url: str) -> Any:
	timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 10_000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 3000]
	return cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)


def test_ffmpeg_plays_the_stream() -> None:
	with served() as camera:
		shown = play(camera.url)
		frames = [frame for taken, frame in itertools.islice(iter(shown.read, None), 10) if taken]
		shown.release()
		assert len(frames) == 10
		assert frames[-1].shape == (240, 320, 3)
		assert len(dots(frames[-1])) == 5
		expected = camera.state.frame(0)
		assert np.abs(frames[-1].astype(int) - expected).mean() < 8


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
def test_the_program_ffmpeg_finds_no_fault_with_the_stream() -> None:
	with served() as camera:
		command = [
			"ffmpeg",
			"-v",
			"warning",
			"-rtsp_transport",
			"tcp",
			"-i",
			camera.url,
			"-frames:v",
			"20",
			"-f",
			"null",
			"-",
		]
		done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
	assert done.returncode == 0
	assert "error" not in done.stderr.lower()


@pytest.mark.parametrize(("password", "opens"), [("p@ss/w:rd", True), ("wrong", False)])
def test_a_password_is_asked_for(password: str, opens: bool) -> None:
	with served(user="admin", password="p@ss/w:rd") as camera:
		shown = play(camera.url.replace("rtsp://", f"rtsp://admin:{quote(password, safe='')}@"))
		assert shown.isOpened() is opens
		shown.release()
		assert (camera.refused > 0) is not opens
		assert (camera.described > 0) is opens


def test_another_path_is_not_there() -> None:
	with served() as camera:
		assert not play(camera.url.replace("/door", "/window")).isOpened()
		assert camera.described == 0


def test_an_unplugged_camera_drops_everybody() -> None:
	with served() as camera:
		shown = play(camera.url)
		assert shown.read()[0]
		verbs.trouble(camera.state, Trouble.UNPLUGGED)
		ends = time.monotonic() + 10
		while shown.read()[0]:
			assert time.monotonic() < ends
		shown.release()
		assert not play(camera.url).isOpened()
		verbs.relieve(camera.state, Trouble.UNPLUGGED)
		assert play(camera.url).isOpened()


# seen by the networks


def test_the_tiny_networks_find_and_tell_them_apart(tmp_path: Path) -> None:
	pytest.importorskip("onnxruntime")
	from attendance_bridge.recognition.aligner import align
	from attendance_bridge.recognition.engines import EngineKind, open_engine
	from attendance_bridge.recognition.tiny import make_pack

	engine = open_engine(EngineKind.ONNX, make_pack(tmp_path), 1)

	def look(frame: Any) -> list[Any]:
		faces = sorted(engine.detect(frame), key=lambda face: face.box[0])
		return [engine.embed(align(frame, face.landmarks)) for face in faces]

	state = still()
	verbs.come(state, 1, at=-10.0, place=0.3)
	verbs.come(state, 2, at=-10.0, place=0.7)
	left, right = look(frame_of(state, 0.0))
	again, _ = look(frame_of(state, 2.0))
	assert left @ again > 0.95
	assert left @ right < 0.5
