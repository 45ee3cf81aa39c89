"""Options that several commands take."""

from __future__ import annotations

import os
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click


class ZoneType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
	"""A time zone by its name."""

	name = "zone"

	def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
		try:
			return value if isinstance(value, ZoneInfo) else ZoneInfo(value)
		except (ValueError, OSError, LookupError):
			self.fail(f"{value!r} is no time zone; Asia/Dubai or Europe/Berlin would be one", param, ctx)


class DayType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
	"""A day, as naive midnight; of years that the clock of a terminal can show."""

	name = "yyyy-mm-dd"

	def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
		try:
			day = value if isinstance(value, datetime) else datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007
		except ValueError:
			self.fail(f"{value!r} is no day; 2026-01-31 would be one", param, ctx)
		if not 1970 <= day.year <= 2199:
			self.fail(f"{value!r} is not between 1970 and 2199", param, ctx)
		return day


DATE = DayType()

database_option = click.option(
	"--db",
	"path",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="SQLite file that holds the punches.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def local_zone() -> ZoneInfo:
	"""The time zone of this machine; UTC where it cannot be told."""
	names = (os.environ.get("TZ", "").removeprefix(":"), _etc_timezone(), _etc_localtime())
	known = zoneinfo.available_timezones()
	return ZoneInfo(next((name for name in names if name in known), "UTC"))


def _etc_timezone() -> str:
	try:
		return Path("/etc/timezone").read_text(encoding="utf-8")[:100].strip()
	except (OSError, UnicodeDecodeError):
		return ""


def _etc_localtime() -> str:
	try:
		target = Path("/etc/localtime").resolve()
	except OSError:
		return ""
	return str(target).partition("/zoneinfo/")[2]


config_option = click.option(
	"--config",
	"path",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="The TOML file of this agent.",
)
