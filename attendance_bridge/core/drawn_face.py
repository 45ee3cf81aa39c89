"""The scheme of drawn faces: what a face in a play looks like that the networks of `recognition.tiny` find.

A drawn face is for demonstrations and tests on machines without any model. It is no likeness of anybody, and
the networks that find it know nothing of real faces. Whoever draws (a simulated camera, a test) follows this
scheme; positions are (x, y) in the 112×112 square into which a face is aligned, and may be scaled, moved and
turned as a whole. A face is found when it is drawn 40 to 380 pixels wide (scale 0.45 to 4) and is seen whole.

Colours are RGB. In the order of painting:

1. *Head*: a filled ellipse, centre (56, 58), half axes (46, 62), colour `SKIN`.
2. *Code on the forehead*: 2 rows of 8 filled cells, each 8 wide and 14 high, the first at (24, 12), rows of
   cells from left to right, the upper row first. A cell's red, green and blue are each `CELL_ON` or
   `CELL_OFF`, as `code_of(person)` says.
3. *Five dots* of radius 5 at `LANDMARKS` in `DOT_COLOURS`: the eye on the left of the picture, the eye on the
   right, the nose, the corners of the mouth left and right. Nothing else in a picture may have these colours.

A *turned head* moves the nose alone: by `YAW_SHIFT` × yaw to the right and by `PITCH_SHIFT` × pitch upwards.
Yaw and pitch are what `recognition.quality` measures: yaw is positive when the person turns to their own left
(to the right of an unmirrored picture), pitch is positive when they look up.

A *photograph held before the camera* has a border: an unfilled rectangle in `PAPER`, 6 wide, from (-10, -20)
to (122, 132). The tiny liveness network takes a face in such a border for a photograph.
"""

from __future__ import annotations

RGB = tuple[int, int, int]

SIZE = 112
SKIN: RGB = (205, 170, 140)
PAPER: RGB = (255, 255, 0)
LANDMARKS: tuple[tuple[float, float], ...] = ((38, 52), (74, 52), (56, 72), (41, 92), (71, 92))
DOT_RADIUS = 5
DOT_COLOURS: tuple[RGB, ...] = ((0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 0, 255), (0, 255, 255))
ROWS, COLUMNS = 2, 8
CELL_LEFT, CELL_TOP, CELL_WIDTH, CELL_HEIGHT = 24, 12, 8, 14
CELL_ON, CELL_OFF = 190, 90
YAW_SHIFT = 18.0
PITCH_SHIFT = 20.0
PEOPLE = 900
_WORDS = 30


def code_of(person: int) -> tuple[RGB, ...]:
	"""The colours of the 16 cells of a person's forehead, row after row.

	Two of the `PEOPLE` agree in at most one of the three channels; in every other channel they differ in at
	least half of the cells. So the embeddings of two people have a cosine of at most 1/3.

	:param person: from 0 to `PEOPLE` - 1.
	:raises ValueError: any other number.
	"""
	if not 0 <= person < PEOPLE:
		raise ValueError(f"a drawn face has a number from 0 to {PEOPLE - 1}")
	first, second = person % _WORDS, person // _WORDS
	words = [_word(number) for number in (first, second, (first + second) % _WORDS)]
	return tuple(
		(levels[0], levels[1], levels[2])
		for levels in zip(*[[CELL_ON if bit else CELL_OFF for bit in word] for word in words], strict=True)
	)


def _word(number: int) -> list[int]:
	"""One of the 30 balanced words of the Reed-Muller code RM(1, 4); two differ in 8 or in all 16 bits."""
	mask, flip = number // 2 + 1, number % 2
	return [(bin(mask & cell).count("1") + flip) % 2 for cell in range(ROWS * COLUMNS)]
