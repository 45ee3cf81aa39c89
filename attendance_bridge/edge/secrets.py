"""Where the secrets of the configuration come from: the environment, or a file that only we may read."""

from __future__ import annotations

import os
from pathlib import Path

from attendance_bridge.core.errors import Code, ConfigError

MAX_SECRET_LENGTH = 4096


def read_secret(kind: str, reference: str) -> str:
	"""The `core.config.SecretSource` of the edge.

	:param kind: "env" or "file".
	:param reference: name of the variable, or path of the file; one trailing line break is not part of it.
	:raises ConfigError: SECRET_MISSING, naming the place and never its content.
	"""
	value = os.environ.get(reference, "") if kind == "env" else _read_file(Path(reference))
	if not value:
		raise ConfigError(Code.SECRET_MISSING, kind=kind, reference=reference)
	return value


def _read_file(path: Path) -> str:
	try:
		with path.open(encoding="utf-8") as file:
			return file.read(MAX_SECRET_LENGTH).rstrip("\r\n")
	except (OSError, UnicodeDecodeError):
		return ""
