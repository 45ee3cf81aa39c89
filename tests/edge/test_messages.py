"""Every code that can reach a person has words, and no sentence has a hole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import attendance_bridge
from attendance_bridge.core import errors
from attendance_bridge.core.clock import ClockVerdict
from attendance_bridge.core.direction import Reason
from attendance_bridge.core.errors import (
	BridgeError,
	Code,
	ConfigError,
	DeviceError,
	StoreError,
	UpstreamError,
)
from attendance_bridge.core.projection import ECHO, NO_SUCH_ID
from attendance_bridge.edge.messages import PROBLEMS, REASONS, sentence
from attendance_bridge.upstreams.erpnext_rest import inspection
from attendance_bridge.upstreams.frappe_bridge import inspection as bridge_inspection
from attendance_bridge.upstreams.frappe_bridge.sender import INGEST

PACKAGE = Path(attendance_bridge.__file__).parent
PUT_IN_ON_THE_WAY = {"core/config.py": {"path"}, "edge/secrets.py": {"path"}}
"""Facts that a caller adds before anybody sees the error: `core.config` adds the path of the key."""


@dataclass(frozen=True)
class RaiseSite:
	place: str
	code: Code
	facts: frozenset[str]
	has_more: bool
	"""Whether it passes on facts that cannot be read off the source."""


def raise_sites() -> Iterator[RaiseSite]:
	"""Every place in the package that makes an error of ours with a code that stands there by name."""
	kinds = {name for name in vars(errors) if name.endswith("Error")} | {"RefusedError", "AnswerLostError"}
	for file in sorted(PACKAGE.rglob("*.py")):
		text = file.read_text(encoding="utf-8")
		if "Code." not in text:
			continue
		for node in ast.walk(ast.parse(text)):
			if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
				continue
			code = _code(node)
			if node.func.id not in kinds or code is None:
				continue
			module = file.relative_to(PACKAGE).as_posix()
			facts = {keyword.arg for keyword in node.keywords if keyword.arg}
			yield RaiseSite(
				place=f"{module}:{node.lineno}",
				code=code,
				facts=frozenset((facts - {"retryable"}) | PUT_IN_ON_THE_WAY.get(module, set())),
				has_more=any(keyword.arg is None for keyword in node.keywords),
			)


def _code(call: ast.Call) -> Code | None:
	first = call.args[0] if call.args else None
	if isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Code":
		return Code[first.attr]
	return None


@pytest.fixture(scope="module")
def sites() -> list[RaiseSite]:
	return list(raise_sites())


def test_the_search_finds_the_places(sites: list[RaiseSite]) -> None:
	assert len(sites) > 250
	floors = {site.place.partition("/")[0] for site in sites}
	assert floors >= {"core", "drivers", "upstreams", "stores", "edge"}


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence(code: Code) -> None:
	for kind in (DeviceError, UpstreamError, StoreError, ConfigError):
		words = sentence(kind(code))
		assert words.strip().endswith(".")
		assert "{" not in words


def test_no_sentence_has_a_hole(sites: list[RaiseSite]) -> None:
	with_a_hole = {}
	for site in sites:
		facts: dict[str, Any] = {fact: f"<{fact}>" for fact in site.facts}
		words = sentence(BridgeError(site.code, **facts))
		if "?" in words and not site.has_more:
			with_a_hole[site.place] = words
	assert with_a_hole == {}


def test_a_sentence_names_the_other_side() -> None:
	refused = DeviceError(Code.UNREACHABLE, host="192.0.2.7", port=4370)
	assert "at 192.0.2.7:4370." in sentence(refused)
	assert "at Main gate." in sentence(refused, "Main gate")
	assert sentence(UpstreamError(Code.AUTH_FAILED, url="https://erp.example.com")).startswith(
		"https://erp.example.com refused"
	)


def test_a_lock_out_says_for_how_long() -> None:
	assert "for another 1800 seconds" in sentence(DeviceError(Code.LOCKED_OUT, host="a", unlock_seconds=1800))
	assert "another" not in sentence(DeviceError(Code.LOCKED_OUT, host="a"))


def test_what_a_terminal_says_of_itself_is_no_format() -> None:
	error = DeviceError(Code.WRONG_DEVICE, host="a", found="{0.__class__} {where}", expected="{}")
	assert "{0.__class__} {where}" in sentence(error)


def test_a_missing_option_is_told_with_one_full_stop() -> None:
	assert sentence(ConfigError(Code.MISSING_KEY, path="a.host", help="Where it is.")) == (
		"a.host is missing: Where it is."
	)


@pytest.mark.parametrize(
	"code",
	[
		*(reason.value for reason in Reason),
		*(verdict.value for verdict in ClockVerdict if verdict is not ClockVerdict.TRUSTED),
		ECHO,
		NO_SUCH_ID,
	],
)
def test_every_reason_has_words(code: str) -> None:
	assert REASONS[code] != code


def test_every_problem_of_an_upstream_has_words() -> None:
	names = {**vars(inspection), **vars(bridge_inspection)}
	codes = {value for name, value in names.items() if name.isupper() and isinstance(value, str)} - {INGEST}
	assert len(codes) >= 7
	assert codes <= PROBLEMS.keys()
	words = sentence(UpstreamError(Code.NOT_READY, url="https://erp.example.com", problems=tuple(codes)))
	assert all(PROBLEMS[code] in words for code in codes)
