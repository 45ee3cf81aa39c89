"""The configuration of recognition, and a pipeline made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.liveness import PassiveLiveness
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.recognition.pack import Pack, open_pack
from attendance_bridge.recognition.pipeline import Pipeline, PipelineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionSettings:
	pack: Path = option(help="folder of the model pack")
	engine: EngineKind = option(EngineKind.ONNX, help="onnx, opencv or insightface")
	liveness_pack: Path | None = option(
		None, help="folder of a pack with a liveness network; none leaves it out"
	)
	threads: int = option(2, help="that one network may use", minimum=1, maximum=64)
	false_match_rate: float = option(
		1e-5, help="how many comparisons of two different people may match", minimum=1e-9, maximum=0.01
	)
	threshold: float | None = option(
		None, help="cosine of a match, in place of what the pack states", minimum=0.05, maximum=1
	)
	pipeline: PipelineSettings = field(default_factory=PipelineSettings)

	def cosine(self, pack: Pack) -> float:
		"""The least cosine of a match.

		:raises RecognitionError: MODEL_UNFIT, when neither the pack nor these settings state one.
		"""
		if self.threshold is not None:
			return self.threshold
		if pack.manifest.embedder is None:
			raise RecognitionError(Code.MODEL_UNFIT, path=str(pack.folder), why="the pack has no embedder")
		return pack.manifest.embedder.threshold(self.false_match_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
	"""What is opened from the settings; an enrolment uses the same engine, matcher and threshold."""

	engine: Engine
	matcher: Matcher
	"""Empty: who is enrolled is put in by whoever keeps the gallery."""
	threshold: float
	pipeline: Pipeline


def open_recognition(settings: RecognitionSettings) -> Recognition:
	"""Load the networks.

	:raises ConfigError: a bad manifest.
	:raises RecognitionError: MODEL_MISSING, MODEL_DAMAGED, MODEL_UNFIT or NOT_INSTALLED.
	"""
	threshold = settings.cosine(open_pack(settings.pack))
	engine = open_engine(settings.engine, settings.pack, settings.threads)
	matcher = Matcher(engine.model, engine.dimension)
	liveness = (
		PassiveLiveness(open_pack(settings.liveness_pack), settings.threads)
		if settings.liveness_pack
		else None
	)
	pipeline = Pipeline(
		engine=engine, matcher=matcher, threshold=threshold, settings=settings.pipeline, liveness=liveness
	)
	return Recognition(engine=engine, matcher=matcher, threshold=threshold, pipeline=pipeline)
