"""Bodies of calls: as much as is wanted is kept, the rest passes through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

_PIECE = 64 * 1024


_MOST_DIGITS = 12


def has_length(environ: Mapping[str, Any]) -> bool:
	"""Whether a call says how many bytes of body it has."""
	text = environ.get("CONTENT_LENGTH") or ""
	return text.isascii() and text.isdigit()


def announced_length(environ: Mapping[str, Any]) -> int:
	"""How many bytes of body a call says that it has; 0 if it does not say."""
	if not has_length(environ):
		return 0
	text = environ["CONTENT_LENGTH"].lstrip("0") or "0"
	return int(text) if len(text) <= _MOST_DIGITS else int(10**_MOST_DIGITS)


def read_body(stream: BinaryIO, announced: int, limit: int) -> tuple[bytes, bool]:
	"""The first `limit` bytes of a body, and whether all of it came. The rest is read and thrown away."""
	kept = b"".join(_pieces(stream, min(announced, limit)))
	if len(kept) < min(announced, limit):
		return kept, False
	rest = max(0, announced - limit)
	return kept, sum(map(len, _pieces(stream, rest))) == rest


def _pieces(stream: BinaryIO, length: int) -> Iterable[bytes]:
	while length > 0:
		try:
			piece = stream.read(min(length, _PIECE))
		except OSError:  # the line broke, or nothing came for too long
			return
		if not piece:
			return
		length -= len(piece)
		yield piece
