"""Text as spreadsheets and other programs can take it: readable, and never a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

CSV_MARK = "\ufeff"
"""Spreadsheets read UTF-8 only behind this."""


def unicode_text(text: str) -> str:
	"""As UTF-8 can say it: an id out of a damaged record may be no Unicode."""
	return text.encode("utf-8", "backslashreplace").decode()


def harmless(cell: str) -> str:
	"""No formula: whoever punches at a terminal must not write into somebody's spreadsheet.

	See https://owasp.org/www-community/attacks/CSV_Injection.
	"""
	return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")) else cell


def csv_line(cells: Iterable[str]) -> str:
	buffer = io.StringIO()
	csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(cells)
	return buffer.getvalue()
