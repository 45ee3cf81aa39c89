"""A pack through the insightface package, for those who have it. Only the two networks are loaded.

`FaceAnalysis` builds a session for every network in a folder and drops most of them; the model classes are
opened here one by one instead. See docs/adr/0008-own-decoding.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.aligner import SIDE
from attendance_bridge.recognition.embedder import refuse_other_length, unit
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.onnx_engine import both_networks
from attendance_bridge.recognition.pack import DetectorKind, Pack
from attendance_bridge.recognition.runtime import Blob, load_cv2, load_insightface, session_options

DETECTION, RECOGNITION = "detection", "recognition"


class InsightfaceEngine:
	"""Detector and embedder of a pack.

	:param threads: that one network may use.
	:raises RecognitionError: NOT_INSTALLED, or MODEL_UNFIT for networks that insightface does not take.
	"""

	def __init__(self, pack: Pack, threads: int) -> None:
		detector, embedder = both_networks(pack)
		if detector.kind is not DetectorKind.SCRFD:
			why = "insightface's detector takes SCRFD only: use the engine onnx"
			raise RecognitionError(Code.MODEL_UNFIT, path=str(pack.folder), why=why)
		load_cv2()
		self.model = pack.manifest.model
		self.dimension = embedder.dimension
		self._size = tuple(detector.input_size)
		self._detector = _open(pack.path(detector.file), DETECTION, threads)
		self._detector.prepare(
			0, input_size=self._size, det_thresh=detector.min_score, nms_thresh=detector.overlap
		)
		self._embedder = _open(pack.path(embedder.file), RECOGNITION, threads)
		# Its class guesses one mean and one divisor for all channels; the pack states what is right.
		self._embedder.input_mean, self._embedder.input_std = 0.0, 1.0
		self._blob = Blob(embedder.normalisation)
		refuse_other_length(
			pack.path(embedder.file), embedder, self.embed(np.zeros((SIDE, SIDE, 3), np.uint8))
		)

	def detect(self, image: Image) -> Sequence[Face]:
		rows, landmarks = self._detector.detect(image, input_size=self._size)
		found = [
			Face(box=row[:4].astype(np.float32), landmarks=points.astype(np.float32), score=float(row[4]))
			for row, points in zip(rows, landmarks, strict=True)
		]
		return sorted(found, key=lambda face: -face.score)

	def embed(self, aligned: Image) -> Floats:
		return unit(self._embedder.forward(self._blob.make(aligned)))


def _open(path: Path, task: str, threads: int) -> Any:
	try:
		model = load_insightface().get_model(
			str(path), providers=["CPUExecutionProvider"], sess_options=session_options(threads)
		)
	# What insightface, onnx and ONNX Runtime raise has no base of its own.
	except RecognitionError:
		raise
	except Exception as error:
		raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=f"{error}"[:300]) from None
	if getattr(model, "taskname", None) != task:
		raise RecognitionError(
			Code.MODEL_UNFIT, path=str(path), why=f"insightface takes it for no {task} model"
		)
	return model
