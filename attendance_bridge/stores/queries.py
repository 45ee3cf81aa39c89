"""The SQL of this floor: named, described blocks in `sql/*.sql`.

A block begins with `-- name: …` and a comment line that says what it is for; the statement follows, up to the
next block.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_BLOCK = re.compile(r"-- name: (?P<name>\w+)\n-- (?P<purpose>.+)\n(?P<sql>(?:(?!-- name: ).*(?:\n|\Z))+)")


@functools.cache
def load(name: str) -> Mapping[str, str]:
	"""Return the statements of `sql/<name>.sql` by their names.

	:raises ValueError: something in the file is no named, described block, or a name stands there twice.
	"""
	return MappingProxyType(parse((files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")))


def parse(text: str) -> dict[str, str]:
	"""Take the text of a file apart; see `load`."""
	statements: dict[str, str] = {}
	position = 0
	while position < len(text):
		block = _BLOCK.match(text, position)
		if block is None or block["name"] in statements or not block["sql"].strip():
			raise ValueError(f"no named, described block of its own: {text[position : position + 60]!r}")
		statements[block["name"]] = block["sql"].strip()
		position = block.end()
	return statements
