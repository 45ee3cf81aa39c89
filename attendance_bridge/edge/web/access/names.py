"""What a new account may be called: whoever reads who did something must not take one for another."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60
"""Characters of a name."""

_OF_OTHERS = re.compile(r"key\s.*|.*\(.*\)")
"""How a program ("key NAME") and the command line ("NAME (command line)") are written down."""


def check_name(name: str) -> str:
	"""Return the name of an account to be made, without blanks around it.

	:raises ValueError: how a name has to be.
	"""
	name = name.strip()
	if not name or len(name) > LONGEST or not name.isprintable():
		raise ValueError(f"1 to {LONGEST} printable characters")
	if _OF_OTHERS.fullmatch(unicodedata.normalize("NFKC", name).casefold()):
		raise ValueError(
			'a name that neither begins with "key " nor ends in brackets: programs are written so'
		)
	return name
