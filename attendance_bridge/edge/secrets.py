"""Where the secrets of the configuration come from: the environment, or a file that only we may read."""

from __future__ import annotations

import os
from pathlib import Path

from attendance_bridge.core.errors import Code, ConfigError

MAX_SECRET_LENGTH = 4096


def read_secret(kind: str, reference: str) -> str:
	"""The `core.config.SecretSource` of the edge.

	:param kind: "env" or "file".
	:param reference: name of the variable, or path of the file; line breaks at its end are not part of it.
		A file that only root may read is looked for among the credentials that systemd hands over.
	:raises ConfigError: SECRET_MISSING, naming the place and never its content.
	"""
	value = os.environ.get(reference, "") if kind == "env" else _read_file(Path(reference))
	if not value or not _is_text(value):
		raise ConfigError(Code.SECRET_MISSING, kind=kind, reference=reference)
	return value


def _is_text(value: str) -> bool:
	# A variable may hold bytes that are no text. Whoever tried to encode them would raise an error with the
	# secret in it.
	try:
		value.encode()
	except UnicodeEncodeError:
		return False
	return True


def _read_file(path: Path) -> str:
	return _content(path) or _content_handed_over(path)


def _content_handed_over(path: Path) -> str:
	"""What systemd hands over of a folder that only root reads: LoadCredential=secrets:/…/secrets."""
	folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
	return _content(Path(folder) / f"{path.parent.name}_{path.name}") if folder else ""


def _content(path: Path) -> str:
	try:
		with path.open(encoding="utf-8") as file:
			value = file.read(MAX_SECRET_LENGTH + 1)
	except (OSError, ValueError):
		return ""
	return value.rstrip("\r\n") if len(value) <= MAX_SECRET_LENGTH else ""
