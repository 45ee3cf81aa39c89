"""Scenes with a name, for `simulate camera` and the demo; each begins at second 0."""

from __future__ import annotations

from collections.abc import Callable

from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.camera.face import Look
from attendance_bridge.simulators.camera.state import CameraState, Trouble

Play = Callable[[CameraState], float]
"""Puts everything into a state; returns after how many seconds it is over."""


def come_and_go(state: CameraState) -> float:
	"""Thirty seconds: nobody, then one person comes, stays and goes, then nobody."""
	verbs.come(state, 1, at=5.0, stay=12.0)
	return 30.0


def two_people(state: CameraState) -> float:
	"""One after the other, then both at once."""
	verbs.come(state, 1, at=1.0, stay=6.0)
	verbs.come(state, 2, at=10.0, stay=6.0)
	verbs.come(state, 1, at=20.0, stay=8.0, place=0.3, scale=1.0)
	verbs.come(state, 2, at=20.5, stay=8.0, place=0.72, scale=1.0)
	return 32.0


def five_poses(state: CameraState) -> float:
	"""For an enrollment: front, left, right, up, down, three seconds each."""
	visitor = verbs.come(state, 1, at=0.0, scale=1.8)
	looks = (Look(), Look(yaw=0.6), Look(yaw=-0.6), Look(pitch=0.5), Look(pitch=-0.5))
	for number, look in enumerate(looks):
		visitor = verbs.turn(state, visitor, look, at=3.0 + 3.0 * number, seconds=3.0)
	return 20.0


def photograph(state: CameraState) -> float:
	"""A photograph is held up, then the person of it comes."""
	verbs.hold_up_photo(state, 1, at=1.0, stay=8.0)
	verbs.come(state, 1, at=14.0, stay=6.0)
	return 24.0


def troubles(state: CameraState) -> float:
	"""Before somebody's face the light goes out, the lens mists over, the plug comes out, all freezes."""
	verbs.come(state, 1, at=0.0)
	verbs.trouble(state, Trouble.DARK, at=5.0, seconds=4.0)
	verbs.trouble(state, Trouble.BLUR, at=12.0, seconds=4.0)
	verbs.trouble(state, Trouble.UNPLUGGED, at=19.0, seconds=4.0)
	verbs.trouble(state, Trouble.FROZEN, at=26.0, seconds=6.0)
	return 36.0


def nobody(state: CameraState) -> float:
	"""A wall."""
	return 10.0


PLAYS: dict[str, Play] = {
	play.__name__.replace("_", "-"): play
	for play in (come_and_go, two_people, five_poses, photograph, troubles, nobody)
}
