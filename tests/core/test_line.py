"""Lines that people write for people."""

from __future__ import annotations

import pytest

from attendance_bridge.core.line import legible, parse_line


@pytest.mark.parametrize(
	("text", "line"),
	[
		(" forgot\n", "forgot"),
		("نسي البصمة", "نسي البصمة"),
		("می\u200cرود", "می\u200cرود"),  # Persian is not spelled without it
		("忘れ\u3000ました", "忘れ ました"),
		("x" * 9 + "\xa0y", "xxxxxxxxx y"),
		("=1+1", "=1+1"),
	],
)
def test_a_line_is_taken(text: str, line: str) -> None:
	assert parse_line(text, 11) == line
	assert legible(line) == line


@pytest.mark.parametrize(
	"text",
	["", " \n\t", "a\nb", "a\tb", "a\0", "\x1b[2J", "a\u202eb", "\u2066a", "a\x85b", "a\udcff", "x" * 12],
)
def test_what_is_no_line_of_text_is_refused(text: str) -> None:
	with pytest.raises(ValueError, match="1 to 11 legible"):
		parse_line(text, 11)


def test_what_was_kept_before_is_shown_harmlessly() -> None:
	assert legible("a\x1b[2J\n\u202eb\0") == "a�[2J��b�"
