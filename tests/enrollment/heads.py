"""A drawn person who does what the page says, a moment later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attendance_bridge.core.template import Pose
from attendance_bridge.simulators.camera import CameraState, verbs
from attendance_bridge.simulators.camera.face import Look
from attendance_bridge.simulators.camera.state import Visitor

REACTION = 0.8
"""Seconds from what is said to what is done."""
LOOKS = {
	Pose.FRONT: Look(),
	Pose.LEFT: Look(yaw=0.55),
	Pose.RIGHT: Look(yaw=-0.55),
	Pose.UP: Look(pitch=0.45),
	Pose.DOWN: Look(pitch=-0.45),
}


@contextmanager
def cooperating(
	state: CameraState, visitor: Visitor, wanted: Callable[[], Pose | None], *, reaction: float = REACTION
) -> Iterator[None]:
	"""While it is entered, somebody before the camera holds the head as is wanted of them.

	:param wanted: None while nothing is.
	"""
	stop = threading.Event()

	def live() -> None:
		held: Pose | None = None
		who = visitor
		while not stop.wait(0.02):
			pose = wanted()
			if pose is not None and pose is not held:
				time.sleep(reaction)
				who = verbs.turn(state, who, LOOKS[pose])
				held = pose

	thread = threading.Thread(target=live, name="a head")
	thread.start()
	try:
		yield
	finally:
		stop.set()
		thread.join()
