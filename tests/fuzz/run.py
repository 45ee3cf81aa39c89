"""Throws many inputs at every parser of what comes from outside:

	python -m tests.fuzz.run --count 1000000

Ends with 1 at the first input that raises what it must not, takes too long, or when memory grows; that input
is written to a file. The same seed throws the same inputs.
"""

from __future__ import annotations

import argparse
import gc
import logging
import resource
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, all_targets

SLOWEST_SECONDS = 2.0
"""Of the processor, for one input of at most 64 KB."""
MAX_GROWTH_MB = 64
"""Of the whole process, from after the first thousandth of the inputs of a target to their end."""
WARM_UP = 2_000


def rss_mb() -> float:
	"""The largest memory that this process has had, in MB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_target(target: Target, count: int, seed: int) -> bool:
	mutator = Mutator(target.seeds, seed)
	refused, slowest = 0, 0.0
	began = time.perf_counter()
	memory = rss_mb()
	for number in range(count):
		data = mutator.next()
		# Of this process: on a busy machine others have the processor, too.
		before = time.process_time()
		try:
			refused += not target.run(data)
		except Exception:
			traceback.print_exc()
			return _failed(target, data, f"input {number} of seed {seed} raised")
		slowest = max(slowest, time.process_time() - before)
		if slowest > SLOWEST_SECONDS:
			return _failed(target, data, f"input {number} of seed {seed} took {slowest:.1f} s")
		if number == min(WARM_UP, count // 2):
			gc.collect()
			memory = rss_mb()
	growth = rss_mb() - memory
	seconds = max(time.perf_counter() - began, 1e-9)
	print(
		f"{target.name:28} {count:>9,} inputs, {refused:>9,} refused, {count / seconds:>8,.0f} a second, "
		f"slowest {slowest * 1000:.1f} ms, memory +{growth:.1f} MB",
		flush=True,
	)
	return growth <= MAX_GROWTH_MB or _failed(target, b"", f"memory grew by {growth:.0f} MB")


def _failed(target: Target, data: bytes, why: str) -> bool:
	path = Path(f"fuzz-{target.name}.bin")
	path.write_bytes(data)
	print(f"{target.name}: {why}; the input is in {path}", file=sys.stderr)
	return False


def main() -> int:
	known = all_targets()
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--count", type=int, default=100_000, help="inputs, over all targets together")
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument(
		"--target", action="append", choices=sorted(known), help="only this one; can be repeated"
	)
	args = parser.parse_args()
	chosen = [known[name] for name in args.target or known]
	each = max(1, -(-args.count // len(chosen)))
	logging.disable()
	return 0 if all(run_target(target, each, args.seed) for target in chosen) else 1


if __name__ == "__main__":
	sys.exit(main())
