"""A camera that draws its scene: for the demo and for machines without one. It shows nobody's real face."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.edge import frame
from attendance_bridge.edge.cameras import _opencv
from attendance_bridge.edge.frame import CameraSpec, Frame, LiveFrames, Now

if TYPE_CHECKING:
	from attendance_bridge.simulators.camera import CameraState

_NAME = "simulated camera"
_PATIENCE = 60.0
"""Seconds after which a frozen scene is given up."""
_SHORTEST = 0.005


def _check_play(value: str) -> str:
	try:
		from attendance_bridge.simulators.camera.plays import PLAYS
	except ImportError:
		raise ValueError("used with the extra `recognition` installed") from None
	if value not in PLAYS:
		raise ValueError(f"one of {', '.join(sorted(PLAYS))}")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	play: str = option("come-and-go", help="What happens before it", check=_check_play)
	seed: int = option(7, help="Another one, another wall and another noise", minimum=0, maximum=2**31)
	width: int = option(640, help="Pixels across", minimum=160, maximum=1920)
	height: int = option(480, help="Pixels down", minimum=120, maximum=1080)
	fps: float = option(15.0, help="Pictures a second", minimum=1, maximum=60)
	loop: bool = option(True, help="Begin again at the end")


@dataclass(frozen=True, slots=True)
class _Scene:
	state: CameraState
	seconds: float


class Camera(frame.Camera):
	spec = CameraSpec(label="Simulated camera", config=Config)

	def __init__(self, config: Config, *, now: Now, state: CameraState | None = None) -> None:
		"""
		:param state: a scene that somebody else plays; without it, the play of the configuration.
		"""
		_opencv.opencv()
		self._frames = LiveFrames(now)
		self._shown = -1
		self._is_open = True
		self._scene = _Scene(state, float("inf")) if state is not None else _scene_of(config)
		self._loop = config.loop
		if self._is_unplugged():
			raise DeviceError(Code.CAMERA_NOT_THERE, retryable=True, camera=_NAME, cause="unplugged")

	def read(self) -> Frame | None:
		from attendance_bridge.simulators.camera.state import Trouble

		state = self._scene.state
		given_up = time.monotonic() + _PATIENCE
		while time.monotonic() < given_up and self._is_open:
			second = state.clock()
			if not self._loop and second >= self._scene.seconds:
				return None
			if self._is_unplugged():
				break
			number = state.number_at(self._in_play(second))
			if number != self._shown and not state.has(Trouble.FROZEN, self._in_play(second)):
				self._shown = number
				return self._frames.frame(state.frame(number))
			time.sleep(max(_SHORTEST, min(1 / state.fps, (number + 1) / state.fps - self._in_play(second))))
		raise DeviceError(Code.CAMERA_LOST, retryable=True, camera=_NAME)

	def close(self) -> None:
		self._is_open = False

	def _in_play(self, second: float) -> float:
		return second if self._scene.seconds == float("inf") else second % self._scene.seconds

	def _is_unplugged(self) -> bool:
		from attendance_bridge.simulators.camera.state import Trouble

		state = self._scene.state
		return state.has(Trouble.UNPLUGGED, self._in_play(state.clock()))


@functools.cache
def _scene_of(config: Config) -> _Scene:
	"""One scene for a configuration: whoever opens the camera again finds it as far on as it is."""
	from attendance_bridge.simulators.camera import CameraState
	from attendance_bridge.simulators.camera.plays import PLAYS

	state = CameraState(width=config.width, height=config.height, fps=config.fps, seed=config.seed)
	return _Scene(state, PLAYS[config.play](state))
