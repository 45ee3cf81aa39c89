"""Exact search against the plain computation, and a gallery that changes."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from uuid import UUID, uuid4

import numpy as np
import pytest

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.core.template import Template
from attendance_bridge.recognition.matcher import Matcher

MODEL, DIMENSION = "trial-0123", 16
NOON = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)


def row(*numbers: float) -> np.ndarray:
	full = np.zeros(DIMENSION, np.float32)
	full[: len(numbers)] = numbers
	return full / np.linalg.norm(full)


def template(
	employee: str, vector: np.ndarray, template_id: UUID | None = None, model: str = MODEL
) -> Template:
	return Template(
		template_id=template_id or uuid4(),
		employee=employee,
		model=model,
		vector=vector.astype("<f4").tobytes(),
		captured_at=NOON,
	)


def test_nobody_is_enrolled() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	assert matcher.search(row(1)) is None
	assert len(matcher) == 0


def test_the_nearest_and_the_nearest_of_anybody_else() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	matcher.add([template("A", row(1)), template("A", row(4, 3)), template("B", row(0, 1))])
	match = matcher.search(row(1))
	assert match is not None
	# 1 with A's first, 4/5 with A's second, 0 with B's: the second best is of another person.
	assert (match.employee, match.cosine, match.second) == ("A", 1, 0)
	assert match.margin == 1


def test_one_person_alone_has_no_second() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	matcher.add([template("A", row(1)), template("A", row(0, 1))])
	match = matcher.search(row(3, 4))
	assert match is not None
	assert (match.cosine, match.second) == (pytest.approx(0.8), -1)


def test_search_is_exact_among_many() -> None:
	chance = np.random.default_rng(3)
	rows = chance.normal(size=(2000, DIMENSION)).astype(np.float32)
	rows /= np.linalg.norm(rows, axis=1, keepdims=True)
	people = [f"E{number // 5}" for number in range(2000)]
	made = [template(who, each) for who, each in zip(people, rows, strict=True)]
	matcher = Matcher(MODEL, DIMENSION)
	for start in range(0, 2000, 300):
		matcher.add(made[start : start + 300])
	for query in rows[::97] + 0.1:
		query = query / np.linalg.norm(query)
		cosines = rows @ query
		best = int(cosines.argmax())
		others = max(each for each, who in zip(cosines, people, strict=True) if who != people[best])
		match = matcher.search(query)
		assert match is not None
		assert (match.template_id, match.employee) == (made[best].template_id, people[best])
		assert (match.cosine, match.second) == pytest.approx((cosines[best], others), abs=1e-5)


def test_a_person_is_erased() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	matcher.add([template("A", row(1)), template("B", row(0, 1)), template("A", row(1, 1))])
	before = matcher._held.matrix
	assert matcher.remove("A") == 2
	assert matcher.remove("A") == 0
	assert matcher.employees == {"B"}
	match = matcher.search(row(1))
	assert match is not None
	assert (match.employee, match.cosine) == ("B", 0)
	assert matcher.cosine_with("A", row(1)) == -1
	# Nothing of A is left in the memory that was given up either.
	assert np.array_equal(before.T, [row(0, 1) * 0, row(0, 1), row(0, 1) * 0])


def test_a_template_is_replaced_by_its_id() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	same = uuid4()
	matcher.add([template("A", row(1), same)])
	matcher.add([template("A", row(0, 1), same), template("B", row(0, 0, 1))])
	assert len(matcher) == 2
	assert matcher.cosine_with("A", row(1)) == 0


@pytest.mark.parametrize(
	"wrong",
	[
		template("X", row(1), model="trial-4567"),
		template("X", np.ones(DIMENSION * 2, np.float32)),
		template("X", row(1) * 2),
		template("X", row(1) * 0),
		template("X", row(1) * np.nan),
	],
)
def test_what_is_no_template_of_the_model_is_refused_with_its_company(wrong: Template) -> None:
	matcher = Matcher(MODEL, DIMENSION)
	with pytest.raises(RecognitionError) as caught:
		matcher.add([template("A", row(1)), wrong])
	assert caught.value.code is Code.MODEL_UNFIT
	assert len(matcher) == 0


def test_a_query_of_another_dimension_is_refused() -> None:
	with pytest.raises(ValueError, match="16 numbers"):
		Matcher(MODEL, DIMENSION).search(np.ones(8, np.float32))


def test_it_is_searched_while_it_changes() -> None:
	matcher = Matcher(MODEL, DIMENSION)
	matcher.add([template("kept", row(1))])
	ended = threading.Event()

	def change() -> None:
		for number in range(300):
			matcher.add([template(f"E{number}", row(0, 1, number))])
			if number % 3 == 0:
				matcher.remove(f"E{number}")
		ended.set()

	thread = threading.Thread(target=change)
	thread.start()
	searched = 0
	while not ended.is_set() or not searched:
		match = matcher.search(row(1))
		assert match is not None
		assert (match.employee, match.cosine) == ("kept", 1)
		searched += 1
	thread.join()
	assert len(matcher) == 201
