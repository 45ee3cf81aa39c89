"""Every language of the pages has every sentence, with its values."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from werkzeug.datastructures import LanguageAccept

from attendance_bridge.edge.web import languages

WEB = Path(languages.__file__).parent
WORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in (WEB / "static/lang").glob("*.json")}
OTHERS = sorted(set(WORDS) - {"en"})
A_USE = re.compile(r"""data-t(?:-label|-title)?="([a-z_.]+)"|\bt\("([a-z_.]+)["]""")
"""In a template and in a script."""


def _keys_used(path: Path) -> set[str]:
	return {first or second for first, second in A_USE.findall(path.read_text("utf-8"))}


def test_each_language_has_its_words() -> None:
	assert set(WORDS) == set(languages.LANGUAGES)


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_there_with_its_values(code: str) -> None:
	assert WORDS[code].keys() == WORDS["en"].keys()
	for key, sentence in WORDS[code].items():
		assert sentence.strip(), key
		assert sorted(re.findall(r"\{\d\}", sentence)) == sorted(re.findall(r"\{\d\}", WORDS["en"][key])), key


@pytest.mark.parametrize("path", sorted([*WEB.glob("templates/*.html"), *WEB.glob("static/*.js")]), ids=str)
def test_every_key_of_a_page_has_words(path: Path) -> None:
	assert _keys_used(path) <= WORDS["en"].keys()


@pytest.mark.parametrize(
	("setting", "accepted", "code"),
	[
		("auto", [("de-AT", 1), ("en", 0.5)], "de"),
		("auto", [("ar-AE", 1)], "ar"),
		("auto", [("fr", 1)], "en"),
		("auto", [], "en"),
		("ar", [("de", 1)], "ar"),
	],
)
def test_the_setting_decides_and_otherwise_the_browser(
	setting: str, accepted: list[tuple[str, float]], code: str
) -> None:
	assert languages.choose(setting, LanguageAccept(accepted)).code == code


def test_only_what_there_is_can_be_set() -> None:
	assert languages.check_language("de") == "de"
	with pytest.raises(ValueError, match="one of auto, en, de, ar"):
		languages.check_language("tlh")
