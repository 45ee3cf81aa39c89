"""Keeps secrets out of everything that is printed."""

from __future__ import annotations

import hmac
import re

MASK = "********"


class Secret:
	"""A password, key or token. Only `reveal` gives it away; repr, str, format and pickling do not."""

	__slots__ = ("_value",)

	def __init__(self, value: str) -> None:
		self._value = value

	def reveal(self) -> str:
		"""The secret itself, for the one place that sends it."""
		return self._value

	def __repr__(self) -> str:
		return f"Secret({MASK!r})"

	def __str__(self) -> str:
		return MASK

	def __format__(self, spec: str) -> str:
		return format(MASK, spec)

	def __bool__(self) -> bool:
		return bool(self._value)

	def __eq__(self, other: object) -> bool:
		return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

	def __hash__(self) -> int:
		return hash((Secret, self._value))

	def __reduce__(self) -> str:
		raise TypeError("a secret is not to be pickled")


# Each pattern keeps group 1 and masks what follows it.
_PATTERNS = (
	re.compile(r"(?i)(authorization\s*[:=]\s*(?:basic|digest|token|bearer)?\s*)[^\r\n]+"),
	re.compile(r"(?i)((?:set-)?cookie\s*[:=]\s*)[^\r\n]+"),
	re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,200}:)[^\s/@]{1,500}(?=@)"),
	re.compile(
		r"(?i)([\"']?\b(?:\w*password|passwd|pwd|secret|api_?key|api_?secret|token|comm_?key|nonce|cnonce)\b"
		r"[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;<>}]+"
	),
	re.compile(r"(?i)(<(?:password|userPassword|authToken)>)[^<]*"),
)
_SIGNS = re.compile("[:=<]")
"""Without one of them no pattern matches."""


def redact(text: str) -> str:
	"""Mask whatever looks like a credential: headers, query parameters, JSON and XML fields, URLs."""
	if not _SIGNS.search(text):
		return text
	for pattern in _PATTERNS:
		text = pattern.sub(lambda match: match.group(1) + MASK, text)
	return text
