"""Writes configuration files as an administrator would type them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | int | float | bool
Table = Mapping[str, Value]


def write(path: Path, tables: Mapping[str, Table], devices: Sequence[Table] = ()) -> Path:
	"""
	:param tables: `[agent]`, `[upstream]` and so on, by name.
	:param devices: one `[[devices]]` each.
	"""
	parts = [_table(f"[{name}]", table) for name, table in tables.items()]
	parts += [_table("[[devices]]", device) for device in devices]
	path.write_text("\n".join(parts), encoding="utf-8")
	return path


def _table(header: str, table: Table) -> str:
	# Text, numbers and truth values of JSON are those of TOML.
	return "\n".join([header, *(f"{key} = {json.dumps(value)}" for key, value in table.items()), ""])
