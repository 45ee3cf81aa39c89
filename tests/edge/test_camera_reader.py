"""The reader that keeps a camera going: newest picture only, opened again whatever happens to it."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("cv2")

from attendance_bridge.core.errors import Code, DeviceError  # noqa: E402  # what follows needs the packages above
from attendance_bridge.core.retry import Backoff  # noqa: E402
from attendance_bridge.edge.camera import CameraReader, CameraState  # noqa: E402
from attendance_bridge.edge.camera_settings import camera_from  # noqa: E402
from attendance_bridge.edge.frame import Camera, CameraSpec, Frame, LiveFrames  # noqa: E402
from attendance_bridge.simulators.camera import CameraState as Scene  # noqa: E402
from attendance_bridge.simulators.camera import RtspCamera, verbs  # noqa: E402
from attendance_bridge.simulators.camera.state import Trouble  # noqa: E402

PICTURE = np.zeros((48, 64, 3), np.uint8)
QUICK = Backoff(base=timedelta(seconds=0.02), cap=timedelta(seconds=0.05))
PATIENCE = 20.0


def now() -> datetime:
	return datetime.now(timezone.utc)


class Bench:
	"""A camera on the bench: what it does at each reading is told from outside."""

	def __init__(self) -> None:
		self.openings = 0
		self.closings = 0
		self.read: Callable[[], bool] = lambda: True
		"""Called at each reading; False ends the recording."""
		self.open: Callable[[], None] = lambda: None

	def __call__(self) -> Camera:
		self.open()
		self.openings += 1
		return BenchCamera(self, now=now)


class BenchCamera(Camera):
	spec = CameraSpec(label="Bench", config=Bench)

	def __init__(self, config: Bench, *, now: Any) -> None:
		self._bench = config
		self._frames = LiveFrames(now)

	def read(self) -> Frame | None:
		time.sleep(0.002)
		return self._frames.frame(PICTURE) if self._bench.read() else None

	def close(self) -> None:
		self._bench.closings += 1


@contextmanager
def running(camera: Callable[[], Camera], **options: Any) -> Iterator[CameraReader]:
	reader = CameraReader("bench", camera, now=now, **{"backoff": QUICK, **options})
	stop = threading.Event()
	thread = threading.Thread(target=reader.run, args=(stop,))
	thread.start()
	try:
		yield reader
	finally:
		stop.set()
		thread.join(10)
		assert not thread.is_alive()
		assert reader.status().state is CameraState.STOPPED


def wait_until(condition: Callable[[], bool]) -> None:
	ends = time.monotonic() + PATIENCE
	while not condition():
		assert time.monotonic() < ends
		time.sleep(0.005)


def lost() -> None:
	raise DeviceError(Code.CAMERA_LOST, retryable=True, camera="bench")


def not_there() -> None:
	raise DeviceError(Code.CAMERA_NOT_THERE, retryable=True, camera="bench", cause="no such file")


# pictures


def test_only_the_newest_picture_is_kept() -> None:
	bench = Bench()
	with running(bench) as reader:
		first = reader.newest(timeout=PATIENCE)
		assert first is not None
		wait_until(lambda: reader.status().frames > first.sequence + 20)
		second = reader.newest(first.sequence)
		assert second is not None
		assert second.sequence > first.sequence + 15
		assert second.pixels.shape == (48, 64, 3)
	assert bench.openings == bench.closings == 1


def test_nobody_gets_a_picture_twice() -> None:
	with running(Bench()) as reader:
		seen = []
		after = -1
		for _ in range(20):
			frame = reader.newest(after, timeout=PATIENCE)
			assert frame is not None
			after = frame.sequence
			seen.append(after)
	assert seen == sorted(set(seen))


def test_whoever_waits_in_vain_is_not_held_up() -> None:
	bench = Bench()
	bench.open = not_there
	with running(bench) as reader:
		started = time.monotonic()
		assert reader.newest(timeout=0.1) is None
		assert 0.1 <= time.monotonic() - started < 2


def test_the_rate_is_measured() -> None:
	bench, seconds = Bench(), itertools.count()
	shown = 0.0

	def read() -> bool:
		nonlocal shown
		shown = next(seconds) * 0.02
		return True

	bench.read = read
	with running(bench, monotonic=lambda: shown) as reader:
		wait_until(lambda: reader.status().frames > 40)
		status = reader.status()
	assert status.fps == pytest.approx(50)
	assert (status.width, status.height) == (64, 48)
	assert status.last_frame_at is not None


# troubles


def test_a_camera_that_was_never_there_is_found_when_it_comes(caplog: pytest.LogCaptureFixture) -> None:
	bench = Bench()
	bench.open = not_there
	with caplog.at_level(logging.INFO), running(bench) as reader:
		wait_until(lambda: reader.status().state is CameraState.LOST)
		status = reader.status()
		assert status.error is not None
		assert status.error.code is Code.CAMERA_NOT_THERE
		time.sleep(0.3)  # many tries later
		assert reader.status().since == status.since
		bench.open = lambda: None
		wait_until(lambda: reader.status().state is CameraState.OPEN)
		assert reader.status().error is None
		assert reader.status().openings == 1
	# It is told once that it is lost, however often it is tried.
	assert caplog.text.count("is lost") == 1


def test_a_camera_that_is_unplugged_comes_back_by_itself() -> None:
	bench = Bench()
	with running(bench) as reader:
		before = reader.newest(timeout=PATIENCE)
		assert before is not None
		bench.open, bench.read = not_there, lost  # type: ignore[assignment]
		wait_until(lambda: reader.status().state is CameraState.LOST)
		assert reader.newest() is None, "an old picture shows nobody who is there"
		bench.open, bench.read = lambda: None, lambda: True
		after = reader.newest(before.sequence, timeout=PATIENCE)
		assert after is not None
		assert after.sequence > before.sequence
		assert reader.status().openings == 2
	assert bench.openings == bench.closings == 2


def test_a_camera_that_hangs_is_left_and_opened_again() -> None:
	bench, release = Bench(), threading.Event()
	hangs = threading.Event()
	readings = itertools.count()
	seconds = 0.0

	def read() -> bool:
		if next(readings) == 5:
			hangs.set()
			release.wait(PATIENCE)
		return True

	bench.read = read
	with running(bench, freeze_seconds=1.0, monotonic=lambda: seconds) as reader:
		assert hangs.wait(PATIENCE)
		seconds = 1.1
		wait_until(lambda: reader.status().openings == 2)
		frames = reader.status().frames
		assert bench.closings == 0
		release.set()
		# The one that hung closes itself and brings nothing any more.
		wait_until(lambda: bench.closings == 1)
		wait_until(lambda: reader.status().frames > frames + 10)
		assert reader.status().openings == 2


def test_a_frozen_camera_is_told_as_such() -> None:
	bench, release = Bench(), threading.Event()
	readings = itertools.count()

	def read() -> bool:
		if next(readings) >= 5:
			bench.open = not_there
			release.wait(PATIENCE)
		return True

	bench.read = read
	codes = []
	with running(bench, freeze_seconds=0.3, backoff=Backoff(base=timedelta(seconds=1))) as reader:
		wait_until(lambda: reader.status().error is not None)
		error = reader.status().error
		assert error is not None
		codes.append(error.code)
		release.set()
	assert codes == [Code.CAMERA_FROZEN]


def test_only_a_few_hang_at_a_time() -> None:
	bench, release = Bench(), threading.Event()
	seen: Counter[int] = Counter()
	hanging: list[int] = []
	seconds = 0.0

	def read() -> bool:
		"""Each opening hangs at its second picture."""
		opening = threading.get_ident()
		seen[opening] += 1
		if seen[opening] == 2:
			hanging.append(opening)
			release.wait(PATIENCE)
		return True

	bench.read = read
	with running(bench, freeze_seconds=1.0, monotonic=lambda: seconds) as reader:
		for number in (1, 2, 3):
			wait_until(lambda number=number: len(hanging) == number)  # type: ignore[misc]
			seconds += 1.1
		time.sleep(0.5)  # it has looked several times by now
		assert bench.openings == 3
		release.set()
		wait_until(lambda: reader.status().openings > 3)


def test_a_driver_that_throws_anything_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
	bench = Bench()
	readings = itertools.count()

	def read() -> bool:
		if next(readings) == 3:
			raise ZeroDivisionError("password=hunter2")
		return True

	bench.read = read
	with running(bench) as reader:
		wait_until(lambda: reader.status().openings == 2)
	assert bench.openings == bench.closings == 2


def test_a_refused_password_is_not_tried_again_soon() -> None:
	bench = Bench()
	tries = itertools.count()

	def refused() -> None:
		next(tries)
		raise DeviceError(Code.AUTH_FAILED, camera="bench", host="192.0.2.7")

	bench.open = refused
	with running(bench) as reader:
		wait_until(lambda: reader.status().state is CameraState.LOST)
		time.sleep(0.5)
		assert reader.status().error is not None
	assert next(tries) == 1


def test_a_recording_that_is_over_stays_over() -> None:
	bench = Bench()
	readings = itertools.count()
	bench.read = lambda: next(readings) < 5
	with running(bench) as reader:
		wait_until(lambda: reader.status().state is CameraState.ENDED)
		last = reader.newest()
		assert last is not None
		assert last.sequence == 4
		began = time.monotonic()
		assert reader.newest(4, timeout=0.1) is None
		assert time.monotonic() - began >= 0.1, "who asks again and again would be busy with that"
	assert reader.newest(4, timeout=float("inf")) is None, "nobody waits for a picture after the end"
	assert bench.openings == bench.closings == 1


# real streams


def test_a_simulated_camera_is_unplugged_and_comes_back() -> None:
	scene = Scene(width=320, height=240, fps=30)
	configured = camera_from({"kind": "simulated"})
	from attendance_bridge.edge.cameras.simulated import Camera as Simulated

	with running(lambda: Simulated(configured.config, now=now, state=scene), freeze_seconds=1.0) as reader:
		assert reader.newest(timeout=PATIENCE) is not None
		verbs.trouble(scene, Trouble.UNPLUGGED)
		wait_until(lambda: reader.status().state is CameraState.LOST)
		verbs.relieve(scene, Trouble.UNPLUGGED)
		wait_until(lambda: reader.status().openings == 2)
		verbs.trouble(scene, Trouble.FROZEN)
		wait_until(lambda: reader.status().state is CameraState.LOST)
		error = reader.status().error
		assert error is not None
		assert error.code is Code.CAMERA_FROZEN
		verbs.relieve(scene, Trouble.FROZEN)
		wait_until(lambda: reader.status().openings == 3)


def test_a_network_camera_goes_dark_and_comes_back() -> None:
	"""RTSP over a real socket; the server is stopped and started again on its port."""
	simulated = RtspCamera(Scene(width=320, height=240))
	simulated.start()
	table = {
		"kind": "rtsp",
		"host": "127.0.0.1",
		"port": simulated.port,
		"path": simulated.path,
		"open_seconds": 2,
		"read_seconds": 2,
	}
	configured = camera_from(table)
	from attendance_bridge.edge.cameras.rtsp import Camera as Rtsp

	try:
		with running(lambda: Rtsp(configured.config, now=now)) as reader:
			assert reader.newest(timeout=PATIENCE) is not None
			simulated.stop()
			wait_until(lambda: reader.status().state is CameraState.LOST)
			wait_until(lambda: getattr(reader.status().error, "code", None) is Code.UNREACHABLE)
			assert reader.newest() is None
			simulated.start()
			wait_until(lambda: reader.status().openings == 2)
			assert reader.newest(timeout=PATIENCE) is not None
	finally:
		simulated.stop()


def test_a_configured_camera_makes_its_reader() -> None:
	configured = camera_from({"kind": "simulated", "name": "Gate", "width": 320, "height": 240, "seed": 77})
	reader = configured.reader(now)
	assert reader.name == "camera Gate"
	stop = threading.Event()
	thread = threading.Thread(target=reader.run, args=(stop,))
	thread.start()
	try:
		assert reader.newest(timeout=PATIENCE) is not None
	finally:
		stop.set()
		thread.join(10)
