"""How figures are taken and spelled: medians of alternating runs, and one last line with the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")

MEGABYTE = 1_000_000


def alternate(rounds: int, *measures: Callable[[], T]) -> list[list[T]]:
	"""Take every measure once a round, one after the other, so that a slow minute strikes all of them.

	:returns: the results of each measure, in order of the rounds.
	"""
	results: list[list[T]] = [[] for _ in measures]
	for _ in range(rounds):
		for measure, taken in zip(measures, results, strict=True):
			taken.append(measure())
	return results


def spread(values: Sequence[float], unit: str) -> str:
	"""The median of the runs, and between what they lay."""
	if len(values) == 1:
		return f"{values[0]:,.2f} {unit} (one run)"
	lowest, highest = min(values), max(values)
	return f"{median(values):,.2f} {unit} (median of {len(values)} runs, {lowest:,.2f} to {highest:,.2f})"


def verdict(value: float, goal: str, name: str = "ratio", digits: int = 2) -> str:
	"""The line that a reader or a script looks for.

	:param goal: an operator and a number, such as ">=10".
	"""
	return f"{name}={value:.{digits}f} goal={goal}"
