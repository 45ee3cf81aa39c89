"""What `edge check` says about an agent that sees: a line each, and an exit code."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.edge.camera_settings import ConfiguredCamera
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.vision.networks import open_networks
from attendance_bridge.edge.vision.settings import RecognitionSettings, VisionSettings, Way
from attendance_bridge.edge.vision.station import open_gallery
from attendance_bridge.edge.vision.terminal import known_camera
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.gallery import Gallery

CAMERA_WRONG, GALLERY_WRONG, RECOGNITION_WRONG = 3, 5, 6
"""Exit codes, as everywhere on the command line."""
WAIT_SECONDS = 20.0
"""For the first picture; some cameras take their time."""
_LOOK_SECONDS = 0.25
NAMED = 10
"""People who must be enrolled again are named up to this number."""

Finding = tuple[int, str]


def vision_findings(settings: VisionSettings, database: Database, now: Now) -> Iterator[Finding]:
	"""Look at the model pack, the gallery and the camera."""
	model = ""
	try:
		networks = open_networks(settings.recognition)
		model = networks.engine.model
		yield (
			0,
			f"ok      recognition: {_spell(settings.recognition)}, {model}, cosine {networks.threshold:g}",
		)
	except BridgeError as error:
		yield RECOGNITION_WRONG, f"WRONG   recognition: {sentence(error)}"
	try:
		gallery = open_gallery(settings.gallery, database, now)
		yield from _gallery_findings(gallery, model)
	except BridgeError as error:
		yield GALLERY_WRONG, f"WRONG   gallery: {sentence(error)}"
	yield _camera_finding(settings.camera, now)
	known = known_camera(DeviceBook(database))
	serial = known[1] if known else "made when the agent first starts"
	yield 0, f"ok      as a terminal: serial number {serial}"


def _spell(recognition: RecognitionSettings) -> str:
	if recognition.engine is Way.TINY:
		return "generated networks that find drawn faces only, for trying things"
	return f"{recognition.pack} is what its manifest says, engine {recognition.engine.value}"


def _gallery_findings(gallery: Gallery, model: str) -> Iterator[Finding]:
	people = gallery.counts().get(model, {})
	yield 0, f"ok      gallery: {sum(people.values())} templates of {len(people)} people"
	if damaged := gallery.damaged():
		yield GALLERY_WRONG, f"WRONG   gallery: {len(damaged)} templates were changed and do not open"
	if model and (outdated := gallery.outdated(model)):
		names = ", ".join(outdated[:NAMED]) + (" …" if len(outdated) > NAMED else "")
		yield (
			0,
			f"note    {len(outdated)} people have templates of another model only; enrol them again, or make "
			f"templates from kept pictures (attendance-bridge gallery re-embed): {names}",
		)


def _camera_finding(camera: ConfiguredCamera, now: Now) -> Finding:
	name = camera.settings.name
	reader = camera.reader(now)
	stop = threading.Event()
	# A driver may hang in opening; the agent's own reader knows how to leave it.
	thread = threading.Thread(target=reader.run, args=(stop,), name="check camera", daemon=True)
	thread.start()
	try:
		frame, waited = None, 0.0
		while frame is None and waited < WAIT_SECONDS and reader.status().error is None:
			frame = reader.newest(timeout=_LOOK_SECONDS)
			waited += _LOOK_SECONDS
		status = reader.status()
	finally:
		stop.set()
		thread.join(5.0)
	if frame is not None:
		return 0, f"ok      {name}: {status.width}×{status.height}"
	why = sentence(status.error) if status.error is not None else f"no picture in {WAIT_SECONDS:.0f} seconds"
	return CAMERA_WRONG, f"WRONG   {name}: {why}"
