"""Alignment: a face is turned, scaled and moved so that its five landmarks lie where embedders expect them.

The transform is the similarity (turn, scale, move; no shear, no mirror) with the least squared distance
between the moved landmarks and the template, in closed form after Umeyama (1991). Why it is not left out, and
not taken from insightface, stands in docs/adr/0009-alignment.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.runtime import load_cv2

SIDE = 112
"""Width and height of an aligned face."""

TEMPLATE: Floats = np.array(
	[[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
	dtype=np.float32,
)
"""Where the landmarks of an aligned face lie: the template of ArcFace, that all 112×112 embedders share."""

Matrix = npt.NDArray[np.float64]


def similarity(source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]) -> Matrix:
	"""The 2 × 3 matrix that moves `source` (n × 2) onto `target` (n × 2) as closely as a similarity can.

	:raises ValueError: when all points of `source` are one.
	"""
	source64, target64 = source.astype(np.float64), target.astype(np.float64)
	middle, wanted_middle = source64.mean(axis=0), target64.mean(axis=0)
	x, y = (source64 - middle).T
	u, v = (target64 - wanted_middle).T
	spread = float(x @ x + y @ y)
	if not spread > 0:
		raise ValueError("points that are all one cannot be aligned")
	# In the plane, scale × turn is one complex number, and its least-squares estimate a quotient.
	cosine = float(x @ u + y @ v) / spread
	sine = float(x @ v - y @ u) / spread
	turn = np.array([[cosine, -sine], [sine, cosine]])
	return np.column_stack((turn, wanted_middle - turn @ middle))


def align(image: Image, landmarks: Floats) -> Image:
	"""The face at `landmarks` as a picture of `SIDE` × `SIDE`.

	:raises ValueError: for landmarks that are all one point.
	"""
	matrix = similarity(landmarks, TEMPLATE)
	aligned: Image = load_cv2().warpAffine(image, matrix, (SIDE, SIDE))
	return aligned
