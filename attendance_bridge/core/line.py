"""One line of text that people write for people, such as a reason.

It ends on pages, terminals and in spreadsheets, so it holds nothing that moves a cursor, breaks a line, turns
the direction of what stands around it, or is no text.
"""

from __future__ import annotations

import re
import unicodedata

_ILLEGIBLE = (
	r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
	r"\ufeff\ufff9-\ufffb\ufffe\uffff"
)
"""Not the joiners U+200C and U+200D: words of Persian and Hindi are spelled with them."""

LINE = rf"^ *[^{_ILLEGIBLE}\s][^{_ILLEGIBLE}]*\Z"
"""As a regular expression, for whoever describes it: all but that a lone surrogate is no text either, which
not every dialect of them can say."""

_LINE, _OTHER = re.compile(LINE), re.compile(rf"[{_ILLEGIBLE}\ud800-\udfff]")


def parse_line(text: str, longest: int) -> str:
	"""A line without the space around it; spaces of whatever width become plain ones.

	:raises ValueError: it is empty, longer than `longest` characters, or one of them is not legible.
	"""
	line = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text).strip()
	if len(line) > longest or _LINE.match(line) is None or _OTHER.search(line) is not None:
		raise ValueError(f"one line of 1 to {longest} legible characters")
	return line


def legible(text: str) -> str:
	"""A text that was kept unseen, for people: a mark in the place of each character that is not legible."""
	return _OTHER.sub("\ufffd", text)
