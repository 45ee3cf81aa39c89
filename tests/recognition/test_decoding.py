"""The output of detectors, decoded against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attendance_bridge.recognition import scrfd, yunet

WIDTH, HEIGHT = 64, 32


def scrfd_outputs() -> list[np.ndarray]:
	counts = [2 * (WIDTH // stride) * (HEIGHT // stride) for stride in scrfd.STRIDES]
	return [np.zeros((count, width), np.float32) for width in (1, 4, 10) for count in counts]


def yunet_outputs() -> list[np.ndarray]:
	counts = [(WIDTH // stride) * (HEIGHT // stride) for stride in yunet.STRIDES]
	return [np.zeros((1, count, width), np.float32) for count in counts for width in (1, 1, 4, 10)]


def test_scrfd() -> None:
	outputs = scrfd_outputs()
	# Stride 16: 4 columns, 2 rows. The second anchor of (column 3, row 1) is number 2 · 7 + 1.
	outputs[1][15] = 0.75
	outputs[4][15] = [1, 0.5, 0.25, 2]
	outputs[7][15] = [0, 0, 1, 0, 0.5, 0.5, 0, 1, -1, 1]
	boxes, landmarks, scores = scrfd.decode(outputs, width=WIDTH, min_score=0.5)
	# The anchor is at (48, 16).
	assert boxes.tolist() == [[48 - 16, 16 - 8, 48 + 4, 16 + 32]]
	assert landmarks.tolist() == [[[48, 16], [64, 16], [56, 24], [48, 32], [32, 32]]]
	assert scores.tolist() == [0.75]


def test_scrfd_takes_all_strides_and_leaves_out_the_unsure() -> None:
	outputs = scrfd_outputs()
	for level in range(3):
		outputs[level][0] = 0.5
		outputs[level][1] = 0.49
		outputs[level + 3][:] = 1
	boxes, _landmarks, scores = scrfd.decode(outputs, width=WIDTH, min_score=0.5)
	assert boxes.tolist() == [[-8, -8, 8, 8], [-16, -16, 16, 16], [-32, -32, 32, 32]]
	assert scores.tolist() == [0.5] * 3


def test_yunet() -> None:
	outputs = yunet_outputs()
	# Stride 8: 8 columns. Cell (column 2, row 1) is number 10; its corner is at (16, 8).
	outputs[0][0, 10] = 0.81
	outputs[1][0, 10] = 1.0
	outputs[2][0, 10] = [0.5, 0.25, np.log(2), np.log(4)]
	outputs[3][0, 10] = [0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1]
	boxes, landmarks, scores = yunet.decode(outputs, width=WIDTH, min_score=0.5)
	# Middle (20, 10), 16 wide, 32 high.
	np.testing.assert_allclose(boxes, [[12, -6, 28, 26]], rtol=1e-6)
	assert landmarks.tolist() == [[[16, 8], [24, 8], [20, 12], [16, 16], [24, 16]]]
	np.testing.assert_allclose(scores, [0.9], rtol=1e-6)


def test_yunet_bounds_what_is_no_probability_and_no_size() -> None:
	outputs = yunet_outputs()
	outputs[0][0, 0], outputs[1][0, 0] = 7.0, 0.49
	outputs[0][0, 1], outputs[1][0, 1] = -1.0, 1.0
	outputs[2][0, 0] = [0, 0, 500, 500]
	boxes, _landmarks, scores = yunet.decode(outputs, width=WIDTH, min_score=0.5)
	np.testing.assert_allclose(scores, [0.7], rtol=1e-6)
	assert np.isfinite(boxes).all()


@pytest.mark.parametrize(
	("decode", "outputs"), [(scrfd.decode, scrfd_outputs()), (yunet.decode, yunet_outputs())]
)
def test_nobody(decode: object, outputs: list[np.ndarray]) -> None:
	boxes, landmarks, scores = decode(outputs, width=WIDTH, min_score=0.5)  # type: ignore[operator]
	assert (boxes.shape, landmarks.shape, scores.shape) == ((0, 4), (0, 5, 2), (0,))
