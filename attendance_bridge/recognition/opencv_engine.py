"""A pack of YuNet and SFace through the classes that OpenCV has for them; ONNX Runtime is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.aligner import SIDE
from attendance_bridge.recognition.embedder import refuse_other_length, unit
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.onnx_engine import both_networks
from attendance_bridge.recognition.pack import Colour, DetectorKind, EmbedderSpec, Normalisation, Pack
from attendance_bridge.recognition.runtime import load_cv2

CANDIDATES = 500
"""How many boxes OpenCV looks at before it drops those that overlap."""
_AS_OPENCV = Normalisation(colour=Colour.RGB)
"""What `FaceRecognizerSF` does with pixels, and nothing else."""


class OpencvEngine:
	"""Detector and embedder of a pack.

	:param threads: that OpenCV may use; here nothing else asks for any.
	:raises RecognitionError: NOT_INSTALLED, or MODEL_UNFIT for networks that OpenCV's classes do not take.
	"""

	def __init__(self, pack: Pack, threads: int) -> None:
		detector, embedder = both_networks(pack)
		if detector.kind is not DetectorKind.YUNET:
			self._refuse(pack, "OpenCV's detector takes YuNet only: use the engine onnx")
		if embedder.normalisation != _AS_OPENCV:
			self._refuse(pack, "OpenCV's embedder takes RGB pixels of 0 to 255 only: use the engine onnx")
		self.model = pack.manifest.model
		self.dimension = embedder.dimension
		cv2 = load_cv2()
		cv2.setNumThreads(threads)
		self._size = (0, 0)
		try:
			self._detector = cv2.FaceDetectorYN.create(
				str(pack.path(detector.file)),
				"",
				tuple(detector.input_size),
				detector.min_score,
				detector.overlap,
				CANDIDATES,
			)
			self._embedder = cv2.FaceRecognizerSF.create(str(pack.path(embedder.file)), "")
			self._check(pack, embedder)
		except cv2.error as error:
			self._refuse(pack, f"{error}"[:300])

	def _check(self, pack: Pack, spec: EmbedderSpec) -> None:
		refuse_other_length(pack.path(spec.file), spec, self.embed(np.zeros((SIDE, SIDE, 3), np.uint8)))

	@staticmethod
	def _refuse(pack: Pack, why: str) -> Any:
		raise RecognitionError(Code.MODEL_UNFIT, path=str(pack.folder), why=why)

	def detect(self, image: Image) -> Sequence[Face]:
		size = (image.shape[1], image.shape[0])
		if size != self._size:
			self._detector.setInputSize(size)
			self._size = size
		_count, rows = self._detector.detect(image)
		return [] if rows is None else [_face(row) for row in rows]

	def embed(self, aligned: Image) -> Floats:
		return unit(self._embedder.feature(aligned))


def _face(row: Floats) -> Face:
	"""A row of OpenCV's: left, top, width, height, five landmarks, score."""
	left, top, width, height = row[:4]
	return Face(
		box=np.array([left, top, left + width, top + height], dtype=np.float32),
		landmarks=row[4:14].reshape(5, 2).copy(),
		score=float(row[14]),
	)
