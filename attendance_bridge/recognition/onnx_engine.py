"""A pack on ONNX Runtime alone: the lean way, and the default."""

from __future__ import annotations

from collections.abc import Sequence

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.embedder import OnnxEmbedder
from attendance_bridge.recognition.engine import Detector
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.pack import DetectorKind, DetectorSpec, EmbedderSpec, Pack
from attendance_bridge.recognition.scrfd import ScrfdDetector
from attendance_bridge.recognition.yunet import YunetDetector


class OnnxEngine:
	"""Detector and embedder of a pack.

	:param threads: that one network may use.
	:raises RecognitionError: NOT_INSTALLED or MODEL_UNFIT.
	"""

	def __init__(self, pack: Pack, threads: int) -> None:
		detector, embedder = both_networks(pack)
		self.model = pack.manifest.model
		self.dimension = embedder.dimension
		self._detector = open_detector(pack, detector, threads)
		self._embedder = OnnxEmbedder(pack.path(embedder.file), embedder, threads)

	def detect(self, image: Image) -> Sequence[Face]:
		return self._detector.detect(image)

	def embed(self, aligned: Image) -> Floats:
		return self._embedder.embed(aligned)


def open_detector(pack: Pack, spec: DetectorSpec, threads: int) -> Detector:
	path = pack.path(spec.file)
	if spec.kind is DetectorKind.SCRFD:
		return ScrfdDetector(path, spec, threads)
	return YunetDetector(path, spec, threads)


def both_networks(pack: Pack) -> tuple[DetectorSpec, EmbedderSpec]:
	"""What a pack must have to recognise anybody.

	:raises RecognitionError: MODEL_UNFIT.
	"""
	detector, embedder = pack.manifest.detector, pack.manifest.embedder
	if detector is None or embedder is None:
		why = "the pack has not both a detector and an embedder"
		raise RecognitionError(Code.MODEL_UNFIT, path=str(pack.folder), why=why)
	return detector, embedder
