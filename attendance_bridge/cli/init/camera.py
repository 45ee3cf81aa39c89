"""The questions about the camera, the networks that recognise faces, and the key of the templates."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from attendance_bridge.cli.init.questions import Questions, missing
from attendance_bridge.core.errors import BridgeError, Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge import cameras
from attendance_bridge.edge.camera_settings import CameraSettings
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.setup import eyes, spec

TINY = "tiny"
STRICT = 1e-5
"""How often two different people may pass for one; the agent's own default."""
DARK, BRIGHT = 40.0, 220.0
"""Mean of a picture, of 0 to 255."""


@dataclass(frozen=True, kw_only=True)
class CameraAnswers:
	"""What the options said."""

	camera: str | None
	pack: str | None
	packs: Path
	packs_from: Path | None
	accept_licence: bool
	threshold: float | None
	key_file: Path


@dataclass(frozen=True, kw_only=True)
class Eyes:
	"""The tables `[camera]`, `[recognition]` and `[gallery]`."""

	camera: dict[str, object]
	recognition: dict[str, object]
	gallery: dict[str, object]


def ask_eyes(questions: Questions, given: CameraAnswers) -> Eyes | None:
	"""None for an agent that does not see.

	:raises BridgeError: the camera gives no picture or a network cannot be used, and nobody can be asked
		again.
	"""
	questions.heading("The camera")
	if given.camera is None and not questions.yes(
		"Shall this machine recognise people by a camera?", default=False
	):
		questions.note("No camera.")
		return None
	_refuse_without_packages()
	camera, picture = _ask_camera(questions, given)
	questions.heading("Recognition")
	recognition = _ask_pack(questions, given)
	_try_networks(questions, recognition, picture)
	questions.note(
		f"Face templates are locked with the key in {given.key_file}. Without it nobody is recognised."
	)
	return Eyes(camera=camera, recognition=recognition, gallery={"key_file": str(given.key_file)})


def _refuse_without_packages() -> None:
	try:
		importlib.import_module("attendance_bridge.edge.vision.networks")
	except ModuleNotFoundError as error:
		if (error.name or "").startswith("attendance_bridge"):
			raise
		raise ConfigError(Code.NOT_INSTALLED, package=error.name or "numpy", extra="recognition") from None


def _ask_camera(questions: Questions, given: CameraAnswers) -> tuple[dict[str, object], Any]:
	"""The table, and a picture; None for one that was written down untested."""
	pictures: list[Any] = []

	def ask() -> dict[str, object]:
		if given.camera is not None:
			return _table_of(given.camera)
		return _choose_camera(questions)

	def attempt(table: dict[str, object]) -> None:
		pixels: Any = eyes.first_picture(table, utc_now).pixels
		height, width = pixels.shape[:2]
		questions.right(f"A picture of {width}×{height}, {_light(float(pixels.mean()))}.")
		pictures.append(pixels)

	table = questions.until(ask, attempt, repeat=given.camera is None)
	return table, pictures[-1] if pictures else None


def _light(mean: float) -> str:
	if mean < DARK:
		return "very dark: give the place more light, or take the cap off"
	if mean > BRIGHT:
		return "very bright: turn the camera away from the light"
	return "well lit"


def _table_of(text: str) -> dict[str, object]:
	values = spec.split(text)
	kind = values.get("kind", "")
	if kind not in cameras.names():
		raise ConfigError(
			Code.BAD_VALUE, path="--camera kind", expected=f"one of {', '.join(cameras.names())}"
		)
	return spec.typed(values, CameraSettings, cameras.load(kind).spec.config)


def _choose_camera(questions: Questions) -> dict[str, object]:
	here = eyes.cameras_here()
	choices = {f"here-{number}": each.label for number, each in enumerate(here)}
	choices |= {
		"rtsp": "a camera on the network (RTSP)",
		"simulated": "none: a simulated one, for trying things",
	}
	if not here:
		questions.note("No camera is plugged into this machine.")
	chosen = questions.choose("--camera", "Which camera", choices, default=next(iter(choices)))
	if chosen == "rtsp":
		return _ask_rtsp(questions)
	return {"kind": "simulated"} if chosen == "simulated" else here[int(chosen.removeprefix("here-"))].table


def _ask_rtsp(questions: Questions) -> dict[str, object]:
	address = questions.text("--camera", "Its address (host, or host:port)")
	host, colon, port = address.rpartition(":")
	table: dict[str, object] = {"kind": "rtsp", "host": address}
	if colon and port.isdecimal() and ":" not in host:
		table.update(host=host, port=int(port))
	table["path"] = questions.text("--camera", "Path of its small stream", default="/Streaming/Channels/102")
	user = questions.text("--camera", "User (empty: none)", default="")
	if user:
		table["user"] = user
		table["password"] = questions.secret("--camera", "Password (not shown)") or Secret("")
	return table


def _ask_pack(questions: Questions, given: CameraAnswers) -> dict[str, object]:
	from attendance_bridge.recognition.pack import MANIFEST, known_manifests

	known = {name: each for name, each in known_manifests().items() if each.detector and each.embedder}
	choices = {}
	# What a company may use comes first.
	for name, manifest in sorted(known.items(), key=lambda each: not each[1].commercial_use):
		here = ", here already" if (given.packs / name / MANIFEST).is_file() else ""
		use = "" if manifest.commercial_use else ", NOT for commercial use"
		choices[name] = f"{name}: {manifest.label}{use}{here}"
	choices[TINY] = "tiny: generated networks that only find drawn faces, for the simulated camera"
	wanted: list[str] = []

	def ask() -> str:
		return questions.choose("--pack", "Which model pack", choices, given=given.pack)

	def attempt(name: str) -> None:
		if name != TINY:
			wanted.append(str(_installed(questions, given, name)))

	name = questions.until(ask, attempt, repeat=given.pack is None)
	if name == TINY:
		return {"engine": TINY}
	folder = Path(wanted[-1]) if wanted else given.packs / name
	table: dict[str, object] = {"pack": str(folder)}
	threshold = _threshold(questions, given, folder)
	return table if threshold is None else {**table, "threshold": threshold}


def _installed(questions: Questions, given: CameraAnswers, name: str) -> Path:
	"""The folder of the pack, every file of it checked; fetched, or adopted from a folder, if need be."""
	from attendance_bridge.cli.models import show_manifest
	from attendance_bridge.recognition.download import install
	from attendance_bridge.recognition.pack import MANIFEST, known_texts, open_pack, parse_manifest

	if (Path(name) / MANIFEST).is_file():
		return open_pack(Path(name).absolute()).folder
	text = known_texts().get(name)
	if text is None:
		raise ConfigError(
			Code.BAD_VALUE,
			path="--pack",
			expected=f"the folder of a pack, tiny, or one of {', '.join(known_texts())}",
		)
	folder = given.packs / name
	if not (folder / MANIFEST).is_file():
		if not given.accept_licence:
			if not questions.asks:
				raise missing("--accept-licence (read the terms with `attendance-bridge models show`)")
			show_manifest(parse_manifest(text))
			if not click.confirm("\n   Do you accept these terms?", default=False):
				raise click.Abort
		beside = given.packs_from
		if beside is None and questions.asks:
			typed = questions.text(
				"--packs-from", "Folder that has its files (empty: download them)", default=""
			)
			beside = Path(typed) if typed else None
		click.echo(f"   bringing {name} to {folder} …")
		install(text, folder, beside=beside)
	pack = open_pack(folder)
	questions.right(f"{name}: every file is the one that its manifest names.")
	return pack.folder


def _threshold(questions: Questions, given: CameraAnswers, folder: Path) -> float | None:
	from attendance_bridge.recognition.pack import open_pack

	if given.threshold is not None:
		return given.threshold
	try:
		embedder = open_pack(folder).manifest.embedder
		if embedder is not None:
			embedder.threshold(STRICT)
		return None
	except BridgeError as error:
		if not questions.asks:
			if questions.untested:
				return None
			raise missing(f"--threshold ({sentence(error)})") from None
		questions.note("Nobody has measured a threshold for this pack at one wrong match in 100,000.")
		return float(
			questions.text("--threshold", "Least cosine of a match; docs/recognition.md says how to measure")
		)


def _try_networks(questions: Questions, table: dict[str, object], picture: Any) -> None:
	from attendance_bridge.core.config import parse
	from attendance_bridge.edge.secrets import read_secret
	from attendance_bridge.edge.vision.networks import open_networks
	from attendance_bridge.edge.vision.settings import RecognitionSettings

	def attempt(found: dict[str, object]) -> None:
		networks = open_networks(parse(RecognitionSettings, found, secrets=read_secret, path="recognition"))
		if picture is None:
			return
		networks.engine.detect(picture)  # the first one sets memory aside
		started = time.monotonic()
		faces = networks.engine.detect(picture)
		milliseconds = (time.monotonic() - started) * 1000
		count = {0: "nobody is", 1: "one person is"}.get(len(faces), f"{len(faces)} people are")
		questions.right(f"The networks run: {count} in the picture ({milliseconds:.0f} ms).")

	questions.until(lambda: table, attempt, repeat=False)
