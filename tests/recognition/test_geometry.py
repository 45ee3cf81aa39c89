"""Boxes and alignment, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attendance_bridge.recognition.aligner import SIDE, TEMPLATE, align, similarity
from attendance_bridge.recognition.boxes import Fitting, keep_surest, overlap
from attendance_bridge.recognition.runtime import load_cv2

SQUARE = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], np.float32)


def row(*numbers: float) -> np.ndarray:
	return np.array(numbers, np.float32)


@pytest.mark.parametrize(
	("target", "matrix"),
	[
		(SQUARE, [[1, 0, 0], [0, 1, 0]]),
		(SQUARE + row(3, -1), [[1, 0, 3], [0, 1, -1]]),
		(SQUARE * 2, [[2, 0, 0], [0, 2, 0]]),
		# A quarter turn: (x, y) → (-y, x).
		(np.array([[0, 0], [0, 2], [-2, 2], [-2, 0]]), [[0, -1, 0], [1, 0, 0]]),
		# Half the size, turned by a quarter, moved: (x, y) → (1 - y/2, 5 + x/2).
		(np.array([[1, 5], [1, 6], [0, 6], [0, 5]]), [[0, -0.5, 1], [0.5, 0, 5]]),
		# Mirrored: no turn is nearer than another, so all becomes the middle (1, 1).
		(np.array([[2, 0], [0, 0], [0, 2], [2, 2]]), [[0, 0, 1], [0, 0, 1]]),
		# One corner pulled out by 1 to the right. Its middle is (1.25, 1), u = (-1.25, .75, 1.75, -1.25).
		# Σxu + Σyv = 5 + 4 = 9, Σxv - Σyu = 0 - (1.25 - .75 + 1.75 - 1.25) = -1, Σ² = 8.
		(
			np.array([[0, 0], [2, 0], [3, 2], [0, 2]]),
			[[9 / 8, 1 / 8, 1.25 - 9 / 8 - 1 / 8], [-1 / 8, 9 / 8, 1 + 1 / 8 - 9 / 8]],
		),
	],
)
def test_similarity(target: np.ndarray, matrix: list[list[float]]) -> None:
	np.testing.assert_allclose(similarity(SQUARE, np.asarray(target, np.float32)), matrix, atol=1e-6)


def test_similarity_is_the_closest_there_is() -> None:
	chance = np.random.default_rng(4)
	source, target = chance.normal(size=(5, 2)), chance.normal(size=(5, 2))

	def distance(matrix: np.ndarray) -> float:
		return float(((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

	best = similarity(source, target)
	for _ in range(300):
		a, b, x, y = chance.normal(scale=0.01, size=4)
		assert distance(best + np.array([[a, -b, x], [b, a, y]])) >= distance(best)


def test_points_that_are_all_one_have_no_similarity() -> None:
	with pytest.raises(ValueError, match="all one"):
		similarity(np.ones((5, 2), np.float32), TEMPLATE)


def test_an_aligned_face_lies_on_the_template() -> None:
	# A white spot where the nose is, in a face that is twice as large, turned by 90 degrees and moved.
	turned = TEMPLATE[:, ::-1] * row(-2, 2) + row(300, 40)
	image = np.zeros((400, 400, 3), np.uint8)
	x, y = turned[2].round().astype(int)
	image[y - 2 : y + 3, x - 2 : x + 3] = 255
	aligned = align(image, turned)
	assert aligned.shape == (SIDE, SIDE, 3)
	rows, columns = np.nonzero(aligned[..., 0] > 127)
	assert abs(columns.mean() - 56.03) < 0.6
	assert abs(rows.mean() - 71.74) < 0.6


def test_what_is_outside_of_the_picture_is_black() -> None:
	aligned = align(np.full((50, 50, 3), 200, np.uint8), TEMPLATE - row(30, 30))
	assert aligned[5, 5].tolist() == [0, 0, 0]
	assert aligned[60, 60].tolist() == [200, 200, 200]


@pytest.mark.parametrize(
	("other", "expected"),
	[
		((0, 0, 4, 4), 1.0),
		((2, 0, 6, 4), 8 / 24),
		((2, 2, 6, 6), 4 / 28),
		((4, 0, 8, 4), 0.0),
		((9, 9, 10, 10), 0.0),
		((1, 1, 3, 3), 4 / 16),
		((3, 3, 1, 1), 0.0),  # turned inside out
		((2, 2, 2, 2), 0.0),
	],
)
def test_overlap(other: tuple[float, ...], expected: float) -> None:
	assert overlap(row(0, 0, 4, 4), row(*other)[None])[0] == pytest.approx(expected)


def test_of_boxes_that_overlap_the_surest_stays() -> None:
	boxes = np.array([[0, 0, 4, 4], [1, 0, 5, 4], [20, 0, 24, 4], [0, 1, 4, 5]], np.float32)
	# 12 of 20 shared: .6.
	assert keep_surest(boxes, row(0.5, 0.9, 0.7, 0.6), 0.4) == [1, 2, 3]
	assert keep_surest(boxes, row(0.5, 0.9, 0.7, 0.6), 0.7) == [1, 2, 3, 0]
	assert keep_surest(boxes[:0], row(), 0.4) == []


@pytest.mark.parametrize(
	("size", "whole", "shape", "scale"),
	[
		((640, 480), False, (480, 640), 1.0),
		((1280, 720), False, (384, 640), 0.5),  # 360 rows, rounded up to strides of 32
		((320, 240), False, (480, 640), 2.0),
		((480, 640), False, (640, 480), 1.0),
		((640, 480), True, (640, 640), 1.0),
		((1, 5000), False, (640, 32), 640 / 5000),
	],
)
def test_a_picture_is_fitted(
	size: tuple[int, int], whole: bool, shape: tuple[int, int], scale: float
) -> None:
	fitting = Fitting(load_cv2(), (640, 640), whole=whole)
	fitted, scaled = fitting.fit(np.full((size[1], size[0], 3), 9, np.uint8))
	assert fitted.shape == (*shape, 3)
	assert scaled == pytest.approx(scale)
	inner = fitted[: round(size[1] * scale), : max(round(size[0] * scale), 1)]
	assert (inner == 9).all()
	assert fitted.sum() == inner.sum()  # the rest is black


def test_nothing_of_the_last_picture_stays() -> None:
	fitting = Fitting(load_cv2(), (64, 64), whole=True)
	fitting.fit(np.full((64, 32, 3), 255, np.uint8))
	fitted, _scale = fitting.fit(np.full((32, 64, 3), 1, np.uint8))
	assert fitted.max() == 1
