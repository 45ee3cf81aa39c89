"""Writing the configuration of an agent: a TOML file for its owner, and each secret in a file of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attendance_bridge.core.redact import Secret

HEAD = """\
# The configuration of an edge agent; docs/edge-install.md tells more.
# Try it after every change with: attendance-bridge edge check --config {path}
# No secret stands in this file: it names the file (…_file) or the environment variable (…_env) that holds it.
"""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
	"""A configuration as it will be written."""

	text: str
	secrets: Mapping[Path, Secret] = field(repr=False)


def lay_out(
	path: Path, folder: Path, tables: Mapping[str, object], remarks: Mapping[str, str] | None = None
) -> Laid:
	"""Give every secret a file in `folder`, and write everything else as TOML.

	:param path: where the configuration will be.
	:param tables: as `edge.settings.from_mapping` takes them, each secret as `Secret` under its plain key.
	:param remarks: comments by name of table.
	"""
	secrets: dict[Path, Secret] = {}
	parts = [HEAD.format(path=path)]
	for name, table in tables.items():
		remark = "".join(f"# {line}\n" for line in (remarks or {}).get(name, "").splitlines())
		if isinstance(table, Mapping):
			parts.append(f"{remark}[{name}]\n{_lines(table, folder, secrets, name)}")
		elif isinstance(table, Sequence):
			for number, each in enumerate(table, 1):
				label = f"{number}-{each.get('name', '')}"
				parts.append(f"{remark}[[{name}]]\n{_lines(each, folder, secrets, label)}")
				remark = ""
	return Laid(text="\n".join(parts), secrets=secrets)


def _lines(table: Mapping[str, object], folder: Path, secrets: dict[Path, Secret], label: str) -> str:
	lines: list[str] = []
	for key, value in table.items():
		if not _BARE_KEY.fullmatch(key):
			raise ValueError(f"no key: {key!r}")
		if isinstance(value, Secret):
			place = folder / _file_name(label, key)
			secrets[place] = value
			lines.append(f"{key}_file = {_value(str(place))}\n")
		else:
			lines.append(f"{key} = {_value(value)}\n")
	return "".join(lines)


def _file_name(label: str, key: str) -> str:
	words = _NOT_IN_A_NAME.sub("-", f"{label}-{key}".lower()).strip("-")
	return words[-60:].strip("-")


def _value(value: object) -> str:
	if isinstance(value, bool) or value is None:
		if value is None:
			raise ValueError("TOML has no word for nothing")
		return "true" if value else "false"
	if isinstance(value, (int, float)):
		return repr(value)
	if isinstance(value, (list, tuple)):
		return f"[{', '.join(map(_value, value))}]"
	# Text of JSON is text of TOML, but for one control character that JSON leaves as it is.
	return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def write_private(path: Path, content: str) -> None:
	"""Write a file for its owner only, whole or not at all; one that is there is replaced.

	:raises OSError: it cannot be written.
	"""
	path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 from the first moment
	try:
		with os.fdopen(handle, "w", encoding="utf-8") as file:
			file.write(content)
			file.flush()
			os.fsync(file.fileno())
		Path(name).replace(path)
	except BaseException:
		with contextlib.suppress(OSError):
			Path(name).unlink()
		raise
	_sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
	"""So that the name of the file survives a power cut as its content does."""
	handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
	try:
		os.fsync(handle)
	finally:
		os.close(handle)
