"""The tables of a seeing agent in docs/edge.example.toml: all there are, with the values they have anyway."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.vision.settings import GallerySettings, KioskSettings, RecognitionSettings

if sys.version_info >= (3, 11):
	import tomllib
else:
	import tomli as tomllib

EXAMPLE = Path(__file__).parents[3] / "docs" / "edge.example.toml"
TABLES: Mapping[str, type[Any]] = {
	"recognition": RecognitionSettings,
	"gallery": GallerySettings,
	"kiosk": KioskSettings,
	"enrollment": EnrollmentSettings,
}
OF_THE_KIOSK = "recognition.pipeline.decision.pause_seconds"
"""Always that of [kiosk]: what would stand there counts for nothing."""


@pytest.fixture(scope="module")
def part() -> str:
	"""The lines about seeing, as if nothing of it were commented; what is commented twice stays so."""
	text = EXAMPLE.read_text(encoding="utf-8")
	found = re.search(r"^# \[camera\]\n.*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
	assert found is not None
	return re.sub(r"^# ?", "", found[0], flags=re.MULTILINE)


def options(settings: type[Any], default: Any, path: str) -> Iterator[tuple[str, Any]]:
	"""Every option below a table, and what holds where the file does not say; MISSING where it must."""
	for field in dataclasses.fields(settings):
		value = field.default if default is None else getattr(default, field.name)
		if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
			value = field.default_factory()
		if dataclasses.is_dataclass(value) and not isinstance(value, type):
			yield from options(type(value), value, f"{path}.{field.name}")
		else:
			yield f"{path}.{field.name}", value


def shown(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
	for key, value in table.items():
		if isinstance(value, Mapping):
			yield from shown(value, f"{path}{key}.")
		else:
			yield f"{path}{key}", value


def test_it_is_taken_as_it_stands(part: str) -> None:
	tables = tomllib.loads(part)
	settings = from_mapping({"agent": {"timezone": "Asia/Dubai"}, **tables}).vision
	assert settings is not None
	assert settings.recognition.threshold is None
	assert settings.gallery.key_file is not None


def test_nothing_is_missing_and_nothing_too_much(part: str) -> None:
	everything = tomllib.loads(re.sub(r"^# (?=[a-z_]+ = )", "", part, flags=re.MULTILINE))
	listed = {path for path, _value in shown(everything) if not path.startswith("camera.")}
	known = {path for name, settings in TABLES.items() for path, _value in options(settings, None, name)} - {
		OF_THE_KIOSK
	}
	assert listed == known


def test_what_is_shown_are_the_defaults(part: str) -> None:
	defaults = {
		path: value.value if isinstance(value, Enum) else value
		for name, settings in TABLES.items()
		for path, value in options(settings, None, name)
	}
	told = {path: value for path, value in shown(tomllib.loads(part)) if not path.startswith("camera.")}
	others = {path for path, value in told.items() if defaults[path] != value}
	assert others == {
		"recognition.pack",
		"gallery.key_file",
		"enrollment.consent_file",
		"enrollment.consent_version",
		"enrollment.consent_language",
	}
