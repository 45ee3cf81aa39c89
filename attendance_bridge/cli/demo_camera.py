"""The door of the demo: a simulated camera, generated networks, and two drawn people who come and go."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from attendance_bridge.core.consent import Consent
from attendance_bridge.simulators.workforce import Worker

if TYPE_CHECKING:
	from attendance_bridge.edge.agent import Agent

KEY_VARIABLE = "ATTENDANCE_BRIDGE_DEMO_GALLERY_KEY"
NAME = "Door camera"
FACES = (1, 2)
"""The drawn faces of the play."""
PAUSE_SECONDS = 75.0
"""The play takes 32 seconds: everybody punches in every third round, long enough apart to be no echo."""
PACKAGES = ("cv2", "numpy", "onnxruntime")


def missing() -> list[str]:
	"""The packages that a camera needs and that are not installed."""
	return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def tables() -> dict[str, Any]:
	"""What the configuration of the agent says about its camera. The gallery's key ends with the demo."""
	from attendance_bridge.stores.sealed import GalleryKey

	os.environ[KEY_VARIABLE] = GalleryKey.new().text()
	return {
		"camera": {"kind": "simulated", "play": "two-people", "name": NAME, "fps": 10},
		"recognition": {"engine": "tiny", "threads": 1},
		"gallery": {"key_env": KEY_VARIABLE},
		"kiosk": {"pause_seconds": PAUSE_SECONDS},
	}


def enrol(agent: Agent, workers: Sequence[Worker]) -> None:
	"""Let the first workers wear the faces of the play."""
	if agent.vision is None:
		return
	from attendance_bridge.edge.vision.portraits import look_at
	from attendance_bridge.simulators.camera import CameraState, verbs
	from attendance_bridge.stores.consents import Consents

	now, engine = datetime.now(timezone.utc), agent.vision.engine
	for worker, face in zip(workers, FACES, strict=False):
		scene = CameraState()
		verbs.come(scene, face, at=-10.0, scale=2.0)
		consent = Consent(employee=worker.employee, given_at=now, text_version="demo", text_sha256="0" * 64)
		Consents(agent.database).give([consent])
		portrait = look_at(scene.frame(0), engine)[0]
		template = portrait.template(worker.employee, engine.model, captured_at=now, captured_by="demo")
		agent.vision.gallery.add([template])
