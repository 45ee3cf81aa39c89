"""SCRFD on ONNX Runtime, its output decoded here.

The graph (as insightface publishes it): input 1 × 3 × H × W; nine outputs of two dimensions, for the strides
8, 16 and 32: scores (n × 1), then boxes (n × 4: left, top, right, bottom), then landmarks (n × 10), as
distances from the anchor in units of the stride. At every position of a stride's grid stand two anchors,
their position is (column, row) × stride.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.boxes import Fitting, make_faces
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.pack import DetectorSpec
from attendance_bridge.recognition.runtime import Blob, Network, load_cv2

STRIDES = (8, 16, 32)
ANCHORS = 2
LANDMARKS = 5


class ScrfdDetector:
	"""Finds faces with an SCRFD graph.

	:raises RecognitionError: NOT_INSTALLED or MODEL_UNFIT.
	"""

	def __init__(self, path: Path, spec: DetectorSpec, threads: int) -> None:
		self._network = Network(path, threads)
		if len(self._network.outputs) != 3 * len(STRIDES):
			why = f"an SCRFD detector with landmarks has nine outputs, this has {len(self._network.outputs)}"
			raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=why)
		self._spec = spec
		self._blob = Blob(spec.normalisation)
		height, width = self._network.input_shape[2:]
		fixed = (width, height) if isinstance(width, int) and isinstance(height, int) else None
		# A graph that takes one size only says which; `input_size` is how large any other is fed.
		self._fitting = Fitting(load_cv2(), fixed or spec.input_size, whole=fixed is not None)

	def detect(self, image: Image) -> list[Face]:
		fitted, scale = self._fitting.fit(image)
		outputs = self._network.run(self._blob.make(fitted))
		found = decode(outputs, width=fitted.shape[1], min_score=self._spec.min_score)
		return make_faces(*found, scale=scale, overlap_limit=self._spec.overlap)


def decode(outputs: list[Floats], *, width: int, min_score: float) -> tuple[Floats, Floats, Floats]:
	"""Boxes (n × 4), landmarks (n × 5 × 2) and scores (n) of what is at least as sure as `min_score`.

	:param width: of the picture that the network saw.
	"""
	boxes, landmarks, scores = [], [], []
	for level, stride in enumerate(STRIDES):
		score = outputs[level].reshape(-1)
		(kept,) = np.nonzero(score >= min_score)
		if not kept.size:
			continue
		cells = kept // ANCHORS
		columns = width // stride
		anchors = np.stack((cells % columns, cells // columns), axis=1).astype(np.float32) * stride
		sides = outputs[level + 3].reshape(-1, 4)[kept] * stride
		points = outputs[level + 6].reshape(-1, LANDMARKS, 2)[kept] * stride
		boxes.append(np.concatenate((anchors - sides[:, :2], anchors + sides[:, 2:]), axis=1))
		landmarks.append(anchors[:, None, :] + points)
		scores.append(score[kept])
	if not scores:
		return np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)
	return np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(scores)
