"""The tables `[camera]`, `[recognition]`, `[gallery]`, `[kiosk]` and `[enrollment]` of the configuration.

Imported only where one of them is there: what it imports is heavy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from attendance_bridge.core.config import option, parse
from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge.camera_settings import ConfiguredCamera, camera_from
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.edge.kiosk_settings import KioskPageSettings
from attendance_bridge.edge.secrets import read_secret
from attendance_bridge.recognition.pipeline import PipelineSettings
from attendance_bridge.stores.gallery_key import KeyPlace


class Way(str, Enum):
	"""How the networks are run."""

	ONNX = "onnx"
	"""ONNX Runtime directly; the leanest."""
	OPENCV = "opencv"
	"""OpenCV's own classes, for YuNet and SFace."""
	INSIGHTFACE = "insightface"
	"""The insightface package, for its packs."""
	TINY = "tiny"
	"""Generated networks that find drawn faces only: for trying things on a machine without any model."""


class Factor(str, Enum):
	"""What a recognised person is asked for besides the face."""

	NONE = "none"
	PIN = "pin"
	BADGE = "badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionSettings:
	pack: Path | None = option(
		None, help="the folder of the model pack (`attendance-bridge models download`)"
	)
	engine: Way = option(
		Way.ONNX, help="onnx, opencv, insightface; or tiny: generated networks that only find drawn faces"
	)
	threads: int = option(2, help="how many threads one network may use", minimum=1, maximum=16)
	false_match_rate: float = option(
		1e-5, help="how often two different people may pass for one", minimum=1e-9, maximum=0.01
	)
	threshold: float | None = option(
		None,
		help="the least cosine of a match, for a pack that states none for this false-match rate",
		minimum=0.05,
		maximum=0.99,
	)
	liveness: bool = option(
		False,
		help="whether a passive network must take the face for a living one; read the docs on its limits",
	)
	liveness_pack: Path | None = option(
		None, help="the folder of the pack with the liveness network; by default `pack`"
	)
	frames_per_second: float = option(5.0, help="how many pictures are looked at", minimum=0.5, maximum=30)
	pipeline: PipelineSettings = option(
		help="how closely is looked: decision, quality, challenge …", default_factory=PipelineSettings
	)

	def __post_init__(self) -> None:
		if (self.pack is None) is not (self.engine is Way.TINY):
			raise ValueError("a pack; none with the engine tiny, which generates its own")
		if self.liveness_pack is not None and not self.liveness:
			raise ValueError("without liveness_pack, or with liveness = true")


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySettings(KeyPlace):
	keep_pictures: bool = option(
		False, help="keep enrolment pictures (encrypted), so that a new model needs no new enrolment"
	)
	consent_required: bool = option(True, help="false only where the law lets the company go without consent")
	store_nothing_central: bool = option(
		False, help="templates stay on this machine: none is sent to the site, none is fetched from it"
	)


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskSettings(KioskPageSettings):
	pause_seconds: float = option(
		60.0, help="for how long a person who has punched does not punch again", minimum=1, maximum=86_400
	)
	role: DeviceRole = option(
		DeviceRole.KEY, help="key (as chosen on the kiosk, else alternate), in, out, or both (alternate)"
	)
	choice_seconds: float = option(
		20.0, help="for how long a choice waits for its face", minimum=3, maximum=300
	)
	second_factor: Factor = option(Factor.NONE, help="none, pin or badge: asked for after the face")
	second_factor_seconds: float = option(20.0, help="for how long it is waited for", minimum=5, maximum=300)
	wrong_tries: int = option(
		3, help="after so many wrong ones the person has to wait", minimum=1, maximum=10
	)
	blocked_minutes: float = option(5.0, help="for so long", minimum=0.1, maximum=1440)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSettings:
	camera: ConfiguredCamera
	recognition: RecognitionSettings
	gallery: GallerySettings
	kiosk: KioskSettings
	enrollment: EnrollmentSettings

	@property
	def pipeline(self) -> PipelineSettings:
		"""With the pause of the kiosk."""
		pipeline = self.recognition.pipeline
		decision = dataclasses.replace(pipeline.decision, pause_seconds=self.kiosk.pause_seconds)
		return dataclasses.replace(pipeline, decision=decision)


def vision_from(mapping: Mapping[str, Any]) -> VisionSettings:
	"""Check the tables.

	:raises ConfigError: with the path of the key that is wrong.
	"""
	for needed in ("camera", "recognition", "gallery"):
		if needed not in mapping:
			raise ConfigError(
				Code.MISSING_KEY, path=needed, help="camera, recognition and gallery need each other"
			)
	return VisionSettings(
		camera=camera_from(mapping["camera"]),
		recognition=parse(
			RecognitionSettings, mapping["recognition"], secrets=read_secret, path="recognition"
		),
		gallery=parse(GallerySettings, mapping["gallery"], secrets=read_secret, path="gallery"),
		kiosk=parse(KioskSettings, mapping.get("kiosk", {}), secrets=read_secret, path="kiosk"),
		enrollment=parse(
			EnrollmentSettings, mapping.get("enrollment", {}), secrets=read_secret, path="enrollment"
		),
	)
