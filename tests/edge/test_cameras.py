"""Each kind of camera: real video files, pictures and streams; stand-ins only where a device is needed."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

cv2 = pytest.importorskip("cv2")
np = pytest.importorskip("numpy")

from attendance_bridge.core.config import describe  # noqa: E402  # what follows needs the packages above
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, DeviceError  # noqa: E402
from attendance_bridge.core.redact import Secret  # noqa: E402
from attendance_bridge.edge import cameras  # noqa: E402
from attendance_bridge.edge.camera_settings import ConfiguredCamera, camera_from  # noqa: E402
from attendance_bridge.edge.frame import Camera, CameraSpec  # noqa: E402
from attendance_bridge.simulators.camera import CameraState, RtspCamera, verbs, video  # noqa: E402
from attendance_bridge.simulators.camera.state import Trouble  # noqa: E402

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=timezone.utc)


def opened(table: dict[str, Any]) -> Camera:
	configured = camera_from(table)
	return cameras.load(configured.settings.kind)(configured.config, now=lambda: NOW)


def code_of(table: dict[str, Any]) -> Code:
	with pytest.raises(BridgeError) as raised:
		opened(table)
	return raised.value.code


def grey_levels(camera: Camera) -> list[int]:
	with camera:
		return [round(float(frame.pixels.mean())) for frame in camera.frames()]


# all kinds


def test_the_kinds_are_there() -> None:
	assert set(cameras.names()) == {
		"image_folder",
		"picamera2",
		"rtsp",
		"simulated",
		"v4l2",
		"video_file",
	}
	with pytest.raises(KeyError):
		cameras.load("_opencv")


@pytest.mark.parametrize("kind", cameras.names())
def test_a_kind_is_complete(kind: str) -> None:
	spec = cameras.load(kind).spec
	assert isinstance(spec, CameraSpec)
	assert spec.label
	options = describe(spec.config)
	assert all(option.help for _type, option in options.values())
	assert not {"kind", "name", "freeze_seconds"} & options.keys()


# configuration


def test_a_camera_is_configured_by_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
	configured = camera_from(
		{
			"kind": "rtsp",
			"name": "Gate",
			"host": "192.0.2.7",
			"user": "admin",
			"password_env": "CAMERA_PASSWORD",
		}
	)
	assert configured.settings.name == "Gate"
	assert configured.config.password == Secret("s3cret")
	assert "s3cret" not in repr(configured)


@pytest.mark.parametrize(
	("table", "code", "path"),
	[
		("text", Code.BAD_VALUE, "camera"),
		({}, Code.MISSING_KEY, "camera.kind"),
		({"kind": "webcam"}, Code.BAD_VALUE, "camera.kind"),
		({"kind": "v4l2", "devise": "/dev/video0"}, Code.UNKNOWN_KEY, "camera.devise"),
		({"kind": "v4l2", "device": "/etc/passwd"}, Code.BAD_VALUE, "camera.device"),
		({"kind": "v4l2", "device": "/dev/v4l/by-id/../../sda"}, Code.BAD_VALUE, "camera.device"),
		({"kind": "v4l2", "fps": 0}, Code.BAD_VALUE, "camera.fps"),
		({"kind": "v4l2", "pixel_format": "JPG"}, Code.BAD_VALUE, "camera.pixel_format"),
		({"kind": "rtsp", "host": "a b"}, Code.BAD_VALUE, "camera.host"),
		({"kind": "rtsp", "host": "a", "path": "x"}, Code.BAD_VALUE, "camera.path"),
		({"kind": "rtsp", "host": "a", "path": "/x y"}, Code.BAD_VALUE, "camera.path"),
		({"kind": "rtsp", "host": "a", "user": "a:b"}, Code.BAD_VALUE, "camera.user"),
		({"kind": "rtsp", "host": "a", "password": "plain"}, Code.BAD_VALUE, "camera.password"),
		({"kind": "video_file"}, Code.MISSING_KEY, "camera.path"),
		({"kind": "simulated", "play": "hamlet"}, Code.BAD_VALUE, "camera.play"),
		({"kind": "simulated", "freeze_seconds": 0}, Code.BAD_VALUE, "camera.freeze_seconds"),
	],
)
def test_a_wrong_table_is_refused_with_the_path_of_the_key(table: Any, code: Code, path: str) -> None:
	with pytest.raises(ConfigError) as raised:
		camera_from(table)
	assert (raised.value.code, raised.value.details["path"]) == (code, path)


def test_an_unknown_option_is_told_with_all_that_are_known() -> None:
	with pytest.raises(ConfigError) as raised:
		camera_from({"kind": "v4l2", "devise": "/dev/video0"})
	assert {"kind", "name", "device", "fps"} <= set(str(raised.value.details["known"]).split(", "))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
	monkeypatch.setitem(sys.modules, "cv2", None)
	monkeypatch.setitem(sys.modules, "picamera2", None)
	for table in (
		{"kind": "v4l2"},
		{"kind": "picamera2"},
		{"kind": "rtsp", "host": "127.0.0.1"},
		{"kind": "video_file", "path": __file__},
		{"kind": "image_folder", "folder": str(tmp_path)},
		{"kind": "simulated"},
	):
		assert code_of(table) is Code.NOT_INSTALLED


# a video file


@pytest.fixture
def film(tmp_path: Path) -> Path:
	"""Ten frames of rising brightness, ten a second."""
	path = tmp_path / "film.avi"
	writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
	for level in range(10):
		writer.write(np.full((48, 64, 3), 20 * level, np.uint8))
	writer.release()
	return path


def test_a_video_is_read_to_its_end(film: Path) -> None:
	levels = grey_levels(opened({"kind": "video_file", "path": str(film), "pace": "fast"}))
	assert levels == pytest.approx([20 * level for level in range(10)], abs=2)


def test_its_moments_are_those_of_the_recording(film: Path) -> None:
	with opened({"kind": "video_file", "path": str(film), "pace": "fast"}) as camera:
		frames = list(camera.frames())
	assert [frame.taken_at - NOW for frame in frames] == [timedelta(seconds=n / 10) for n in range(10)]
	assert [frame.sequence for frame in frames] == list(range(10))
	assert frames[9].seconds - frames[0].seconds == pytest.approx(0.9)


def test_at_its_own_pace_it_takes_as_long_as_the_recording(film: Path) -> None:
	started = time.monotonic()
	grey_levels(opened({"kind": "video_file", "path": str(film)}))
	assert time.monotonic() - started >= 0.9


def test_in_a_loop_it_begins_again(film: Path) -> None:
	with opened({"kind": "video_file", "path": str(film), "pace": "fast", "loop": True}) as camera:
		frames = list(itertools.islice(camera.frames(), 25))
	assert [round(float(frame.pixels.mean()) / 20) for frame in frames] == [*range(10), *range(10), *range(5)]
	assert frames[24].taken_at - NOW == timedelta(seconds=2.4)


def test_what_is_no_video_is_not_there(tmp_path: Path) -> None:
	(tmp_path / "text.avi").write_text("no film")
	(tmp_path / "empty.avi").touch()
	for name in ("nothing.avi", "text.avi", "empty.avi", "."):
		assert code_of({"kind": "video_file", "path": str(tmp_path / name)}) is Code.CAMERA_NOT_THERE


def test_a_name_is_never_taken_for_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.chdir(tmp_path)
	with served() as camera:
		assert code_of({"kind": "video_file", "path": camera.url}) is Code.CAMERA_NOT_THERE
		assert camera.described == 0


# a folder of pictures


@pytest.fixture
def album(tmp_path: Path) -> Path:
	folder = tmp_path / "album"
	folder.mkdir()
	for name, level, size in (("b.png", 100, 30), ("a.jpg", 50, 60), ("c.PNG", 200, 40)):
		cv2.imwrite(str(folder / name), np.full((size, size, 3), level, np.uint8))
	(folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
	(folder / "notes.txt").write_text("no picture")
	(folder / "folder.jpg").mkdir()
	return folder


def test_pictures_come_in_the_order_of_their_names(album: Path, caplog: pytest.LogCaptureFixture) -> None:
	assert grey_levels(opened({"kind": "image_folder", "folder": str(album), "seconds": 0})) == [50, 100, 200]
	assert "broken.jpg" in caplog.text
	assert "notes.txt" not in caplog.text


def test_each_picture_is_shown_for_a_while(album: Path) -> None:
	started = time.monotonic()
	grey_levels(opened({"kind": "image_folder", "folder": str(album), "seconds": 0.2}))
	assert time.monotonic() - started >= 0.4


def test_an_album_in_a_loop_and_an_empty_one(album: Path, tmp_path: Path) -> None:
	with opened({"kind": "image_folder", "folder": str(album), "seconds": 0, "loop": True}) as camera:
		assert len(list(itertools.islice(camera.frames(), 7))) == 7
	(tmp_path / "empty").mkdir()
	empty = {"kind": "image_folder", "folder": str(tmp_path / "empty"), "loop": True}
	assert grey_levels(opened(empty)) == []
	assert code_of({"kind": "image_folder", "folder": str(tmp_path / "none")}) is Code.CAMERA_NOT_THERE


# a USB camera, at the seam of cv2.VideoCapture: a real device is not to be had everywhere


class UsbCamera:
	"""Stands in for `cv2.VideoCapture`."""

	is_plugged_in = True
	made: list[UsbCamera] = []  # noqa: RUF012  # emptied by each test

	def __init__(self, source: str, backend: int, parameters: list[int]) -> None:
		self.source, self.backend = source, backend
		self.settings: list[tuple[int, float]] = []
		self.is_released = False
		UsbCamera.made.append(self)

	def isOpened(self) -> bool:  # noqa: N802  # as OpenCV calls it
		return UsbCamera.is_plugged_in

	def set(self, setting: int, value: float) -> bool:
		self.settings.append((setting, value))
		return True

	def read(self) -> tuple[bool, Any]:
		if not UsbCamera.is_plugged_in:
			return False, None
		return True, np.zeros((480, 640, 3), np.uint8)

	def release(self) -> None:
		self.is_released = True


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> type[UsbCamera]:
	monkeypatch.setattr(cv2, "VideoCapture", UsbCamera)
	UsbCamera.is_plugged_in = True
	UsbCamera.made.clear()
	return UsbCamera


def test_a_usb_camera_is_asked_for_mjpg_and_one_buffer(usb: type[UsbCamera]) -> None:
	with opened({"kind": "v4l2", "device": "/dev/video2", "width": 1280, "height": 720}) as camera:
		frame = camera.read()
	assert frame is not None
	assert frame.pixels.shape == (480, 640, 3)
	assert frame.taken_at == NOW
	(made,) = usb.made
	assert (made.source, made.backend, made.is_released) == ("/dev/video2", cv2.CAP_V4L2, True)
	assert made.settings[0] == (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
	assert (cv2.CAP_PROP_FRAME_WIDTH, 1280) in made.settings
	assert made.settings[-1] == (cv2.CAP_PROP_BUFFERSIZE, 1)


def test_a_usb_camera_that_is_not_there_or_is_pulled_out(usb: type[UsbCamera]) -> None:
	camera = opened({"kind": "v4l2"})
	usb.is_plugged_in = False
	with pytest.raises(DeviceError) as raised, camera:
		camera.read()
	assert raised.value.code is Code.CAMERA_LOST
	assert code_of({"kind": "v4l2"}) is Code.CAMERA_NOT_THERE
	assert all(made.is_released for made in usb.made)


def test_a_device_file_that_is_not_there() -> None:
	assert not Path("/dev/video987").exists()
	assert code_of({"kind": "v4l2", "device": "/dev/video987"}) is Code.CAMERA_NOT_THERE


# a Raspberry Pi camera, with a module that has picamera2's interface


class Ribbon:
	"""Stands in for `picamera2.Picamera2`, by its manual (chapters 4 and 6)."""

	cameras = 1
	is_broken = False
	calls: list[Any] = []  # noqa: RUF012  # emptied by each test

	def __init__(self, camera_num: int = 0) -> None:
		if camera_num >= Ribbon.cameras:
			raise IndexError("list index out of range")
		Ribbon.calls.append("made")

	def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
		return wanted

	def configure(self, configuration: dict[str, Any]) -> None:
		Ribbon.calls.append(configuration)
		self._size = configuration["main"]["size"]

	def start(self) -> None:
		if Ribbon.is_broken:
			raise RuntimeError("Failed to start camera")
		Ribbon.calls.append("started")

	def capture_array(self, name: str) -> Any:
		assert name == "main"
		if Ribbon.is_broken:
			raise RuntimeError("Camera frontend has timed out!")
		return np.zeros((self._size[1], self._size[0], 3), np.uint8)

	def stop(self) -> None:
		Ribbon.calls.append("stopped")

	def close(self) -> None:
		Ribbon.calls.append("closed")


@pytest.fixture
def ribbon(monkeypatch: pytest.MonkeyPatch) -> type[Ribbon]:
	module = types.ModuleType("picamera2")
	module.Picamera2 = Ribbon  # type: ignore[attr-defined]
	monkeypatch.setitem(sys.modules, "picamera2", module)
	monkeypatch.setattr(Ribbon, "is_broken", False)
	Ribbon.calls.clear()
	return Ribbon


def test_a_pi_camera_gives_its_main_stream(ribbon: type[Ribbon]) -> None:
	camera = opened({"kind": "picamera2", "width": 800, "height": 600, "fps": 10})
	frame = camera.read()
	assert frame is not None
	assert frame.pixels.shape == (600, 800, 3)
	camera.close()
	camera.close()
	made, configuration, *rest = ribbon.calls
	assert configuration["main"] == {"size": (800, 600), "format": "RGB888"}
	assert configuration["controls"] == {"FrameRate": 10}
	assert "lores" not in configuration
	assert [made, *rest] == ["made", "started", "stopped", "closed"]


def test_a_pi_camera_that_fails(ribbon: type[Ribbon], monkeypatch: pytest.MonkeyPatch) -> None:
	assert code_of({"kind": "picamera2", "number": 3}) is Code.CAMERA_NOT_THERE
	camera = opened({"kind": "picamera2"})
	monkeypatch.setattr(ribbon, "is_broken", True)
	with pytest.raises(DeviceError) as raised:
		camera.read()
	assert raised.value.code is Code.CAMERA_LOST
	camera.close()
	ribbon.calls.clear()
	assert code_of({"kind": "picamera2"}) is Code.CAMERA_NOT_THERE
	assert ribbon.calls[-1] == "closed"


# RTSP, over a real socket


@contextmanager
def served(**options: Any) -> Iterator[RtspCamera]:
	camera = RtspCamera(CameraState(width=320, height=240), **options)
	verbs.come(camera.state, 1, at=-10.0)
	camera.start()
	try:
		yield camera
	finally:
		camera.stop()


def rtsp(camera: RtspCamera, **options: Any) -> dict[str, Any]:
	return {"kind": "rtsp", "host": "127.0.0.1", "port": camera.port, "path": camera.path, **options}


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
	monkeypatch.setenv("CAMERA_PASSWORD", "p@ss/w:rd%")
	return "p@ss/w:rd%"


def test_a_network_camera_gives_its_stream() -> None:
	with served() as simulated, opened(rtsp(simulated)) as camera:
		frames = list(itertools.islice(camera.frames(), 5))
	assert [frame.sequence for frame in frames] == [0, 1, 2, 3, 4]
	assert frames[0].pixels.shape == (240, 320, 3)
	assert frames[0].taken_at == NOW


def test_a_network_camera_with_a_password(password: str) -> None:
	with served(user="admin", password=password) as simulated:
		login = {"user": "admin", "password_env": "CAMERA_PASSWORD"}
		with opened(rtsp(simulated, **login)) as camera:
			assert camera.read() is not None
		assert simulated.refused == 0


def test_a_wrong_password_is_tried_once(password: str) -> None:
	with served(user="admin", password="another") as simulated:
		login = {"user": "admin", "password_env": "CAMERA_PASSWORD"}
		assert code_of(rtsp(simulated, **login)) is Code.AUTH_FAILED
		assert simulated.refused == 1
		assert code_of(rtsp(simulated)) is Code.AUTH_FAILED
		assert simulated.refused == 1


def test_what_a_network_camera_can_be_instead() -> None:
	with served() as simulated:
		assert code_of(rtsp(simulated, path="/window")) is Code.NOT_FOUND
		verbs.trouble(simulated.state, Trouble.UNPLUGGED)
		assert code_of(rtsp(simulated)) is Code.CONNECTION_LOST
	assert code_of(rtsp(simulated)) is Code.UNREACHABLE


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
	"""Something on a port that says one thing to everybody, or nothing at all."""
	with socket.create_server(("127.0.0.1", 0)) as server:
		held: list[socket.socket] = []

		def serve() -> None:
			while True:
				try:
					connection, _ = server.accept()
				except OSError:
					return
				held.append(connection)
				if answer is not None:
					with suppress(OSError):  # whoever has heard enough hangs up
						connection.recv(65_536)
						connection.sendall(answer)
						connection.shutdown(socket.SHUT_WR)

		thread = threading.Thread(target=serve, daemon=True)
		thread.start()
		try:
			yield server.getsockname()[1]
		finally:
			server.shutdown(socket.SHUT_RDWR)
			thread.join(5)
			for connection in held:
				connection.close()


@pytest.mark.parametrize(
	("answer", "code"),
	[
		(None, Code.TIMEOUT),
		(b"HTTP/1.1 400 Bad Request\r\n\r\n", Code.GARBAGE),
		(b"RTSP/1.0 OK\r\n\r\n", Code.GARBAGE),
		(b"RTSP/1.0 200", Code.GARBAGE),
		(b"RTSP/1.0 200 OK\r\n" + b"x: y\r\n" * 20_000, Code.TOO_LARGE),
		(b"RTSP/1.0 403 Forbidden\r\n\r\n", Code.FORBIDDEN),
		(b"RTSP/1.0 453 Not Enough Bandwidth\r\n\r\n", Code.BUSY),
		(b"RTSP/1.0 500 Error\r\n\r\n", Code.DEVICE_ERROR),
		(b"RTSP/1.0 200 OK\r\n\r\n", Code.CAMERA_NOT_THERE),
		(b"", Code.CONNECTION_LOST),
	],
)
def test_what_answers_instead_of_a_camera(answer: bytes | None, code: Code) -> None:
	with answering(answer) as port:
		table = {"kind": "rtsp", "host": "127.0.0.1", "port": port, "open_seconds": 0.5}
		assert code_of(table) is code


@pytest.mark.parametrize(
	("challenges", "wanted"),
	[
		# The example of RFC 7617, 2.
		(['Basic realm="WallyWorld"'], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
		# Digest without qop (RFC 2069), worked out with md5sum: the hash of "Aladdin:r:open sesame", then
		# ":n:", then the hash of "DESCRIBE:rtsp://h/p".
		(['Basic realm="r"', 'Digest realm="r", nonce="n"'], 'response="a00c519058de570379ebc0da3ad02964"'),
	],
)
def test_the_answer_to_a_challenge(challenges: list[str], wanted: str) -> None:
	from attendance_bridge.edge.cameras import _rtsp

	lines = [f"WWW-Authenticate: {challenge}" for challenge in challenges]
	head = "\r\n".join(["RTSP/1.0 401 Unauthorized", *lines, "CSeq: 1"])
	assert _rtsp._login(head, "rtsp://h/p", "Aladdin", "open sesame").endswith(wanted)


def test_an_open_stream_that_falls_silent_is_lost_in_time() -> None:
	with served() as simulated, opened(rtsp(simulated, read_seconds=0.5)) as camera:
		assert camera.read() is not None
		verbs.trouble(simulated.state, Trouble.FROZEN)
		started = time.monotonic()
		with pytest.raises(DeviceError) as raised:
			list(camera.frames())
	assert raised.value.code is Code.CAMERA_LOST
	assert time.monotonic() - started < 5


def test_no_password_is_written_anywhere(
	password: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
	"""Also not to standard error by OpenCV and FFmpeg themselves, told to say everything."""
	caplog.set_level(logging.DEBUG)
	script = """
import sys
from datetime import datetime, timezone
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.edge import cameras
from attendance_bridge.edge.camera_settings import camera_from
configured = camera_from({
	"kind": "rtsp", "host": "127.0.0.1", "port": int(sys.argv[1]), "path": sys.argv[2], "user": "admin",
	"password_env": "CAMERA_PASSWORD", "open_seconds": 2.0,
})
print(configured)
for _ in range(2):
	try:
		with cameras.load("rtsp")(configured.config, now=lambda: datetime.now(timezone.utc)) as camera:
			print("read", camera.read())
	except BridgeError as error:
		print(repr(error), error, error.__context__)
"""
	loud = {
		**os.environ,
		"OPENCV_LOG_LEVEL": "VERBOSE",
		"OPENCV_VIDEOIO_DEBUG": "1",
		"OPENCV_FFMPEG_DEBUG": "1",
	}

	def said(port: int, path: str = "/door") -> str:
		command = [sys.executable, "-c", script, str(port), path]
		done = subprocess.run(command, env=loud, capture_output=True, text=True, timeout=60, check=True)
		return done.stdout + done.stderr

	with served(user="admin", password=password) as simulated:
		everything = said(simulated.port) + said(simulated.port, "/window")
	assert "read Frame" in everything
	with served(user="admin", password="another") as simulated:
		everything += said(simulated.port)
	with answering(b"RTSP/1.0 200 OK\r\n\r\n") as port:
		everything += said(port)
	assert "camera_not_there" in everything
	for secret in (password, "p%40ss", "w%3Ard", "p@ss"):
		assert secret not in everything


# the simulated camera


def simulated(state: CameraState) -> Camera:
	configured: ConfiguredCamera = camera_from({"kind": "simulated"})
	kind: Any = cameras.load("simulated")
	camera: Camera = kind(configured.config, now=lambda: NOW, state=state)
	return camera


def test_the_simulated_camera_shows_its_scene_once_a_frame() -> None:
	state = CameraState(width=320, height=240, fps=30)
	with simulated(state) as camera:
		started = time.monotonic()
		frames = list(itertools.islice(camera.frames(), 10))
		assert time.monotonic() - started >= 0.25
	assert len({frame.pixels.tobytes() for frame in frames}) > 5


def test_the_simulated_camera_can_be_unplugged() -> None:
	state = CameraState(width=320, height=240)
	camera = simulated(state)
	verbs.trouble(state, Trouble.UNPLUGGED)
	with pytest.raises(DeviceError) as raised:
		list(camera.frames())
	assert raised.value.code is Code.CAMERA_LOST
	with pytest.raises(DeviceError) as raised:
		simulated(state)
	assert raised.value.code is Code.CAMERA_NOT_THERE


def test_a_scene_goes_on_while_its_camera_is_opened_again() -> None:
	table = {"kind": "simulated", "width": 320, "height": 240, "fps": 60, "seed": 4242}
	with opened(table) as camera:
		first = camera.read()
	assert first is not None
	for _ in range(50):  # now and then nothing moves in it for a moment
		time.sleep(0.1)
		with opened(table) as camera:
			again = camera.read()
		assert again is not None
		if (first.pixels != again.pixels).any():
			return
	pytest.fail("the scene stands still, or begins anew each time")


def test_a_written_scene_is_read_as_a_video(tmp_path: Path) -> None:
	state = CameraState(width=320, height=240, fps=10, clock=lambda: 0.0)
	verbs.come(state, 1, at=-5.0)
	video.write(state, tmp_path / "scene.avi", 1.0)
	with opened({"kind": "video_file", "path": str(tmp_path / "scene.avi"), "pace": "fast"}) as camera:
		frames = list(camera.frames())
	assert len(frames) == 10
	assert np.abs(frames[4].pixels.astype(int) - state.frame(4)).mean() < 3
