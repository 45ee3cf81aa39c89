"""How MariaDB compares, under the collation that Frappe gives every table (utf8mb4_unicode_ci).

Two texts are equal there that differ only in letter case, in accents or in trailing spaces, and a number is
equal to every text that begins with it: "007" and "7 (old)" both equal the number 7. A client that looks
people up on the server meets all of it.
"""

from __future__ import annotations

import re
import unicodedata

_LEADING_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def fold(text: str) -> str:
	"""Return a key that is the same for all texts that the collation holds equal."""
	text = text.rstrip(" ")
	if text.isascii():
		return text.lower()
	apart = unicodedata.normalize("NFKD", text)
	return "".join([char for char in apart if not unicodedata.combining(char)]).casefold()


def as_number(text: str) -> float:
	"""What a text becomes when it is compared with a number: its leading number, else 0."""
	found = _LEADING_NUMBER.match(text)
	return float(found.group()) if found else 0.0


def like_pattern(pattern: str) -> re.Pattern[str]:
	"""Compile a LIKE pattern (`%` any run, `_` any one character) for folded text."""
	translated = [{"%": ".*", "_": "."}.get(char, re.escape(char)) for char in fold(pattern)]
	return re.compile("".join(translated), re.DOTALL)
