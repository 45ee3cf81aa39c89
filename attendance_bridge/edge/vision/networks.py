"""The networks that the configuration names, opened once and shared by all who look at faces."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.edge.vision.settings import RecognitionSettings, Way
from attendance_bridge.recognition import tiny
from attendance_bridge.recognition.engine import Engine, LivenessModel
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.liveness import PassiveLiveness
from attendance_bridge.recognition.pack import open_pack


class SharedEngine:
	"""An engine that takes turns: its networks reuse their buffers, so one thread at a time may run them."""

	def __init__(self, engine: Engine) -> None:
		self.model = engine.model
		self.dimension = engine.dimension
		self.detections = 0
		self.embeddings = 0
		self._engine = engine
		self._turn = threading.Lock()

	def detect(self, image: Image) -> Sequence[Face]:
		with self._turn:
			self.detections += 1
			return self._engine.detect(image)

	def embed(self, aligned: Image) -> Floats:
		with self._turn:
			self.embeddings += 1
			return self._engine.embed(aligned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
	"""What recognises."""

	engine: SharedEngine
	threshold: float
	"""The least cosine of a match."""
	liveness: LivenessModel | None = None


def open_networks(settings: RecognitionSettings) -> Networks:
	"""Check the packs and load what is needed of them; takes a second or so.

	:raises RecognitionError: MODEL_MISSING, MODEL_DAMAGED, MODEL_UNFIT or NOT_INSTALLED.
	:raises ConfigError: a bad manifest.
	"""
	if settings.engine is not Way.TINY:
		return _open(settings, EngineKind(settings.engine.value), settings.pack)
	# They are in memory once they are open; the files need not outlive that.
	with tempfile.TemporaryDirectory(prefix="attendance-bridge-") as folder:
		return _open(settings, EngineKind.ONNX, tiny.make_pack(Path(folder)))


def _open(settings: RecognitionSettings, kind: EngineKind, folder: Path | None) -> Networks:
	if folder is None:
		raise RecognitionError(Code.MODEL_MISSING, path="recognition.pack")
	engine = open_engine(kind, folder, settings.threads)
	liveness = None
	if settings.liveness:
		liveness = PassiveLiveness(open_pack(settings.liveness_pack or folder), settings.threads)
	return Networks(engine=SharedEngine(engine), threshold=_threshold(settings, folder), liveness=liveness)


def _threshold(settings: RecognitionSettings, folder: Path) -> float:
	if settings.threshold is not None:
		return settings.threshold
	embedder = open_pack(folder).manifest.embedder
	if embedder is None:
		raise RecognitionError(Code.MODEL_UNFIT, path=str(folder), why="the pack has no embedder")
	return embedder.threshold(settings.false_match_rate)
