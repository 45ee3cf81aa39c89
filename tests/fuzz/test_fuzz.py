"""Every parser of what comes from outside takes anything. For a million inputs: python -m tests.fuzz.run."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, all_targets

TARGETS = all_targets()
INPUTS = 1_500
MOST_MEMORY = 64
"""Bytes of memory for each byte of a flood; what is found is below 12."""
each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@each_target
def test_what_it_is_meant_for_is_taken(target: Target) -> None:
	assert any(target.run(seed) for seed in target.seeds)


@each_target
def test_damaged_input_is_taken_or_refused(target: Target) -> None:
	mutator = Mutator(target.seeds, random_seed=7)
	for _number in range(INPUTS):
		target.run(mutator.next())


@each_target
def test_any_bytes_are_taken_or_refused(target: Target) -> None:
	@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
	@given(
		st.one_of(
			st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
		)
	)
	@example(b"")
	def throw(data: bytes) -> None:
		target.run(data)

	throw()


@each_target
@pytest.mark.parametrize(
	"piece", [b"\n", b"\t", b"a=1\t", b"a=1,", b"<a>", b"[", b"--x\r\n", b"7\t2026-03-01 08:00:00\n"]
)
def test_much_of_one_thing_fills_no_memory(target: Target, piece: bytes) -> None:
	"""A megabyte of it, alone and behind something that begins well.

	A quarter of that for lines: they are looked at one by one, and what is counted takes ten times as long.
	"""
	size = 250_000 if b"\n" in piece else 1_000_000
	flood = piece * (size // len(piece))
	tracemalloc.start()
	try:
		for start in (b"", target.seeds[0]):
			target.run(start + flood)
		_now, peak = tracemalloc.get_traced_memory()
	finally:
		tracemalloc.stop()
	assert peak < MOST_MEMORY * size
