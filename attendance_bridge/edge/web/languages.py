"""The languages of the pages: `static/lang/CODE.json` holds the words of one, `static/i18n.js` uses them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from werkzeug.datastructures import LanguageAccept


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
	code: str
	"""As in `lang` of HTML."""
	direction: str = "ltr"
	"""As in `dir` of HTML."""


LANGUAGES = {
	language.code: language
	for language in (Language(code="en"), Language(code="de"), Language(code="ar", direction="rtl"))
}
DEFAULT = LANGUAGES["en"]
AUTO = "auto"
"""The setting that leaves the choice to each browser."""


_FOLDER = Path(__file__).parent / "static" / "lang"


@functools.cache
def words(code: str) -> Mapping[str, str]:
	"""Every sentence of a language."""
	found: dict[str, str] = json.loads((_FOLDER / f"{code}.json").read_text("utf-8"))
	return found


@pass_context
def translate(context: Mapping[str, Any], key: str) -> str:
	"""For templates: a sentence in the `language` of the page, in English for a page that has none."""
	return words(context.get("language", DEFAULT).code)[key]


def check_language(value: str) -> str:
	"""Check a setting.

	:raises ValueError: neither a language nor `auto`.
	"""
	if value != AUTO and value not in LANGUAGES:
		raise ValueError(f"one of {', '.join((AUTO, *LANGUAGES))}")
	return value


def choose(setting: str, accepted: LanguageAccept) -> Language:
	"""The language of a page.

	:param setting: of the company; `auto` asks the browser.
	:param accepted: what the browser says (`request.accept_languages`).
	"""
	if setting != AUTO:
		return LANGUAGES.get(setting, DEFAULT)
	# One after the other: `best_match` prefers an exact "en" to a "de-AT" that stands before it.
	wanted = (tag.lower().split("-")[0] for tag in accepted.values())
	return next((LANGUAGES[code] for code in wanted if code in LANGUAGES), DEFAULT)
