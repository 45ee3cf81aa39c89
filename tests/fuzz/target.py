"""What is thrown rubbish at: a file in `targets/` with a tuple `TARGETS` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz import targets


@dataclass(frozen=True, kw_only=True)
class Target:
	"""A parser of something that comes from outside."""

	name: str
	parse: Callable[[bytes], object]
	"""Takes any bytes. Checks with `assert` what has to hold of what it makes of them."""
	seeds: tuple[bytes, ...]
	"""What it is meant for, as a start."""
	refusals: tuple[type[Exception], ...] = ()
	"""What it may raise: its way to say no. Anything else is a fault."""

	def run(self, data: bytes) -> bool:
		"""Whether it took the data; False if it refused them."""
		try:
			self.parse(data)
		except self.refusals:
			return False
		return True


def all_targets() -> dict[str, Target]:
	"""Every target by its name."""
	found: dict[str, Target] = {}
	for module in sorted(each.name for each in pkgutil.iter_modules(targets.__path__)):
		for target in importlib.import_module(f"{targets.__name__}.{module}").TARGETS:
			if target.name in found:
				raise ValueError(f"two targets are called {target.name}")
			found[target.name] = target
	return found
