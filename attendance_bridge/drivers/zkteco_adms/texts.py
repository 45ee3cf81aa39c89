"""Lines and fields of the push protocol. Everything here takes any bytes, and gives back bounded text."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_FIELDS = 400
"""Of one line; the registration of a 3.x terminal has about a hundred."""
MAX_TEXT = 100
"""Characters of a name, a model, a version."""
_NUMBER = re.compile(r"-?[0-9]{1,10}")


def lines(body: bytes) -> Iterator[bytes]:
	"""The lines of a body that hold something, without their ends; some write CR alone between two."""
	if b"\r" in body:
		body = body.replace(b"\r", b"\n")
	start = 0
	while start < len(body):
		end = body.find(b"\n", start)
		end = len(body) if end < 0 else end
		line = body[start:end].strip(b"\0")
		if line.strip():
			yield line
		start = end + 1


def decode(data: bytes) -> str:
	"""UTF-8, or latin-1 where it is not that: every byte stays a character of its own."""
	try:
		return data.decode("utf-8")
	except UnicodeDecodeError:
		return data.decode("latin-1")


def fields(line: bytes, separator: bytes = b"\t") -> dict[str, str]:
	"""`key=value` pairs by their keys in lower case, without the "~" that marks some; the first one counts.

	The value may hold "=" (base64). What has no "=" is left out.
	"""
	found: dict[str, str] = {}
	for pair in line.split(separator, MAX_FIELDS)[:MAX_FIELDS]:
		key, equals, value = pair.partition(b"=")
		if equals:
			found.setdefault(decode(key[:MAX_TEXT]).strip().lstrip("~").lower(), decode(value).strip())
	return found


def without_table(line: bytes) -> bytes:
	"""A record without the name of its table, which stands before the first field: "user uid=1"."""
	first, blank, rest = line.partition(b" ")
	return rest if blank and b"=" not in first and b"\t" not in first else line


def printable(text: str, limit: int = MAX_TEXT) -> str:
	"""What a person may be shown of a text."""
	return "".join(letter for letter in text[: 4 * limit] if letter.isprintable()).strip()[:limit]


def number(text: str) -> int | None:
	"""A whole number of at most ten ASCII digits; None for everything else."""
	text = text.strip()
	return int(text) if _NUMBER.fullmatch(text) else None
