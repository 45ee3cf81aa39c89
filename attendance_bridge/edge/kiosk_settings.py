"""The part of the table `[kiosk]` that says what the page at the door shows, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from attendance_bridge.core.config import option
from attendance_bridge.edge.web.languages import AUTO, check_language


class Names(str, Enum):
	"""How the kiosk calls people. It hangs where everybody sees it."""

	FULL = "full"
	SHORT = "short"
	"""The first name, and the initial of the last."""
	HIDDEN = "hidden"


class Theme(str, Enum):
	AUTO = "auto"
	"""As the browser is set."""
	LIGHT = "light"
	DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskPageSettings:
	company: str = option(
		"", help="what stands at the top of the kiosk; empty: the agent's name", max_length=80
	)
	names: Names = option(Names.FULL, help="how people are called on the kiosk: full, short or hidden")
	last_punches: int = option(
		6, help="how many of the day's punches are listed; 0 lists none", minimum=0, maximum=20
	)
	choose_direction: bool = option(False, help="whether the kiosk offers IN and OUT to choose from")
	sound: bool = option(True, help="whether the kiosk makes sounds; each screen can be muted besides")
	mirrored: bool = option(True, help="whether the video is shown as in a mirror")
	theme: Theme = option(Theme.AUTO, help="auto (as the browser is set), light or dark")
	language: str = option(
		AUTO, help="en, de or ar; auto takes the browser's", max_length=10, check=check_language
	)
	dim_seconds: float = option(
		120.0, help="the page goes dim when nobody was there for so long; 0 never", minimum=0, maximum=86_400
	)


def called(name: str, names: Names) -> str:
	"""What the kiosk calls somebody.

	:param name: the full name as the roster has it.
	"""
	if names is Names.FULL:
		return name
	words = name.split()
	if names is Names.HIDDEN or not words:
		return ""
	return words[0] if len(words) == 1 else f"{words[0]} {words[-1][0]}."
