"""YuNet on ONNX Runtime, its output decoded here.

The graph (as the OpenCV zoo publishes it, 2023mar): input 1 × 3 × H × W, BGR, 0 to 255; for each of the
strides 8, 16 and 32 the outputs `cls_s` and `obj_s` (n × 1, the score is the root of their product), `bbox_s`
(n × 4: centre as distance from the cell, logarithms of width and height, in units of the stride) and `kps_s`
(n × 10). Its first landmark is the eye on the left of the picture, as everywhere here.
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
PARTS = ("cls", "obj", "bbox", "kps")
LANDMARKS = 5
LARGEST_LOGARITHM = 12.0
"""What is beyond is no face, and would overflow."""


class YunetDetector:
	"""Finds faces with a YuNet graph.

	:raises RecognitionError: NOT_INSTALLED or MODEL_UNFIT.
	"""

	def __init__(self, path: Path, spec: DetectorSpec, threads: int) -> None:
		self._network = Network(path, threads)
		wanted = [f"{part}_{stride}" for stride in STRIDES for part in PARTS]
		if not set(wanted) <= set(self._network.outputs):
			why = "a YuNet detector has the outputs cls, obj, bbox and kps of the strides 8, 16 and 32"
			raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=why)
		self._network.want(wanted)
		self._spec = spec
		self._blob = Blob(spec.normalisation)
		height, width = self._network.input_shape[2:]
		fixed = (width, height) if isinstance(width, int) and isinstance(height, int) else None
		# The published graph takes one size only.
		self._fitting = Fitting(load_cv2(), fixed or spec.input_size, whole=fixed is not None)

	def detect(self, image: Image) -> list[Face]:
		fitted, scale = self._fitting.fit(image)
		outputs = self._network.run(self._blob.make(fitted))
		found = decode(outputs, width=fitted.shape[1], min_score=self._spec.min_score)
		return make_faces(*found, scale=scale, overlap_limit=self._spec.overlap)


def decode(outputs: list[Floats], *, width: int, min_score: float) -> tuple[Floats, Floats, Floats]:
	"""Boxes (n × 4), landmarks (n × 5 × 2) and scores (n) of what is at least as sure as `min_score`.

	:param outputs: for each stride its four `PARTS`, in their order.
	:param width: of the picture that the network saw.
	"""
	boxes, landmarks, scores = [], [], []
	for level, stride in enumerate(STRIDES):
		classes, objects, sides, points = outputs[4 * level : 4 * level + 4]
		score = np.sqrt(np.clip(classes.reshape(-1), 0, 1) * np.clip(objects.reshape(-1), 0, 1))
		(kept,) = np.nonzero(score >= min_score)
		if not kept.size:
			continue
		columns = width // stride
		cells = np.stack((kept % columns, kept // columns), axis=1).astype(np.float32)
		side = sides.reshape(-1, 4)[kept]
		centres = (cells + side[:, :2]) * stride
		halves = np.exp(np.minimum(side[:, 2:], LARGEST_LOGARITHM)) * (stride / 2)
		boxes.append(np.concatenate((centres - halves, centres + halves), axis=1))
		landmarks.append((cells[:, None, :] + points.reshape(-1, LANDMARKS, 2)[kept]) * stride)
		scores.append(score[kept])
	if not scores:
		return np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)
	return np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(scores)
