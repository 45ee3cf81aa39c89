"""Exact search among 100,000 templates, one query at a time, against faiss-cpu's IndexFlatIP.

Both search the same unit vectors by inner product on one thread. Ours (`Matcher.search`) returns the nearest
template with its employee, and the nearest of anybody else; faiss returns the two nearest vectors. Queries in
turn; the ratio of time is that of the medians. Memory is what the process has more once the templates are
held and what was freed on the way is given back to the system, each in a process of its own.

Needs faiss-cpu, which the project itself does not use.
"""

from __future__ import annotations

import os

# Before numpy is loaded: afterwards its number of threads stands.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import ctypes
import gc
import importlib.util
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from statistics import median
from uuid import UUID

import numpy as np
import numpy.typing as npt
from _figures import MEGABYTE, spread, verdict
from _packs import skip
from _processes import alone, resident_bytes

from attendance_bridge.core.template import Template
from attendance_bridge.recognition.matcher import Matcher

MODEL = "benchmark"
TEMPLATES_A_PERSON = 5
NOON = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)
GOAL_TIME, GOAL_MEMORY = 1.2, 1.1

Floats = npt.NDArray[np.float32]


def vectors(count: int, dimension: int) -> Iterator[Floats]:
	chance = np.random.default_rng(8)
	for _ in range(count):
		row = chance.standard_normal(dimension, dtype=np.float32)
		yield row / np.linalg.norm(row)


def make_ours(count: int, dimension: int) -> Matcher:
	matcher = Matcher(MODEL, dimension)
	matcher.add(
		Template(
			template_id=UUID(int=number + 1),
			employee=f"HR-EMP-{number // TEMPLATES_A_PERSON:05}",
			model=MODEL,
			vector=row.tobytes(),
			captured_at=NOON,
		)
		for number, row in enumerate(vectors(count, dimension))
	)
	return matcher


def make_faiss(count: int, dimension: int) -> object:
	import faiss

	faiss.omp_set_num_threads(1)
	index = faiss.IndexFlatIP(dimension)
	index.add(np.stack(list(vectors(count, dimension))))
	return index


def memory_of(kind: str, count: int, dimension: int) -> int:
	"""Bytes that the process has more once the templates are held."""
	make = {"ours": make_ours, "faiss": make_faiss}[kind]
	make(10, dimension)  # what is loaded once
	gc.collect()
	before = resident_bytes()
	held = make(count, dimension)
	gc.collect()
	ctypes.CDLL(None).malloc_trim(0)
	grown = resident_bytes() - before
	del held
	return grown


def measure_time(count: int, dimension: int, rounds: int) -> float:
	ours, index = make_ours(count, dimension), make_faiss(count, dimension)
	queries = list(vectors(rounds + 3, dimension))
	taken: tuple[list[float], list[float]] = ([], [])
	for number, query in enumerate(queries):
		started = time.perf_counter()
		match = ours.search(query)
		between = time.perf_counter()
		cosines, places = index.search(query[None], 2)
		ended = time.perf_counter()
		if (
			match is None
			or match.template_id.int - 1 != places[0, 0]
			or abs(match.cosine - cosines[0, 0]) > 1e-4
		):
			raise SystemExit("the two searches disagree")
		if number >= 3:
			taken[0].append((between - started) * 1e3)
			taken[1].append((ended - between) * 1e3)
	print(f"{count:,} templates of {dimension} numbers, one query at a time, one thread")
	print(f"  Matcher.search     {spread(taken[0], 'ms')}")
	print(f"  faiss IndexFlatIP  {spread(taken[1], 'ms')}")
	return median(taken[0]) / median(taken[1])


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--templates", type=int, default=100_000)
	parser.add_argument("--dimension", type=int, default=512)
	parser.add_argument("--rounds", type=int, default=40)
	options = parser.parse_args()
	if importlib.util.find_spec("faiss") is None:
		skip("the rival is not installed: pip install faiss-cpu")
	count, dimension = options.templates, options.dimension
	time_ratio = measure_time(count, dimension, options.rounds)
	ours, theirs = (alone(memory_of, kind, count, dimension) for kind in ("ours", "faiss"))
	print(f"  memory: ours {ours / MEGABYTE:,.1f} MB, faiss {theirs / MEGABYTE:,.1f} MB")
	print(verdict(ours / theirs, f"<={GOAL_MEMORY}", "memory_ratio"))
	print(verdict(time_ratio, f"<={GOAL_TIME}"))


if __name__ == "__main__":
	main()
