from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.config import describe, option, parse
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.host import check_host
from attendance_bridge.core.redact import Secret


class Colour(str, Enum):
	RED = "red"
	BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
	depth: int = option(1, help="how deep", minimum=0, maximum=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
	host: str = option(help="where", check=check_host)
	port: int = option(80, help="port", minimum=1, maximum=65_535)
	seconds: float = option(1.5, help="how long", minimum=0, maximum=10)
	tls: bool = option(False, help="encrypted")
	zone: ZoneInfo = option(ZoneInfo("UTC"), help="zone")
	colour: Colour = option(Colour.RED, help="colour")
	tags: tuple[str, ...] = option((), help="tags")
	inner: Inner = option(Inner(), help="inner table")
	file: Path = option(Path("x"), help="a file")
	password: Secret | None = option(None, help="the password")


def no_secret(kind: str, reference: str) -> str:
	raise ConfigError(Code.SECRET_MISSING, kind=kind, reference=reference)


def read(mapping: object) -> Example:
	return parse(Example, mapping, secrets=lambda kind, reference: f"{kind}:{reference}", path="devices[0]")


def test_everything_given() -> None:
	example = read(
		{
			"host": "terminal.local",
			"port": 8080,
			"seconds": 2,
			"tls": True,
			"zone": "Asia/Dubai",
			"colour": "blue",
			"tags": ["a", "b"],
			"inner": {"depth": 3},
			"file": "/tmp/y",
			"password_env": "PW",
		}
	)
	assert example == Example(
		host="terminal.local",
		port=8080,
		seconds=2.0,
		tls=True,
		zone=ZoneInfo("Asia/Dubai"),
		colour=Colour.BLUE,
		tags=("a", "b"),
		inner=Inner(depth=3),
		file=Path("/tmp/y"),
		password=Secret("env:PW"),
	)


@pytest.mark.parametrize(
	("change", "code", "path"),
	[
		({"hots": "x"}, Code.UNKNOWN_KEY, "devices[0].hots"),
		({"host": 5}, Code.BAD_VALUE, "devices[0].host"),
		({"host": "http://x"}, Code.BAD_VALUE, "devices[0].host"),
		({"host": "a; reboot"}, Code.BAD_VALUE, "devices[0].host"),
		({"port": 0}, Code.BAD_VALUE, "devices[0].port"),
		({"port": True}, Code.BAD_VALUE, "devices[0].port"),
		({"port": "80"}, Code.BAD_VALUE, "devices[0].port"),
		({"seconds": float("nan")}, Code.BAD_VALUE, "devices[0].seconds"),
		({"tls": 1}, Code.BAD_VALUE, "devices[0].tls"),
		({"zone": "Mars/Olympus"}, Code.BAD_VALUE, "devices[0].zone"),
		({"zone": "../../etc/passwd"}, Code.BAD_VALUE, "devices[0].zone"),
		({"zone": ["a"]}, Code.BAD_VALUE, "devices[0].zone"),
		({"colour": "green"}, Code.BAD_VALUE, "devices[0].colour"),
		({"tags": "a"}, Code.BAD_VALUE, "devices[0].tags"),
		({"tags": ["a", 1]}, Code.BAD_VALUE, "devices[0].tags[1]"),
		({"inner": {"depth": 10}}, Code.BAD_VALUE, "devices[0].inner.depth"),
		({"inner": {"width": 1}}, Code.UNKNOWN_KEY, "devices[0].inner.width"),
		({"password": "hunter2"}, Code.BAD_VALUE, "devices[0].password"),
		({"password_env": ""}, Code.BAD_VALUE, "devices[0].password_env"),
		({"password_env": "A", "password_file": "B"}, Code.BAD_VALUE, "devices[0].password_file"),
	],
)
def test_what_is_refused_names_the_key(change: Mapping[str, object], code: Code, path: str) -> None:
	with pytest.raises(ConfigError) as caught:
		read({"host": "h", **change})
	assert (caught.value.code, caught.value.details["path"]) == (code, path)
	assert "hunter2" not in str(caught.value)


def test_a_missing_key_says_what_it_is_for() -> None:
	with pytest.raises(ConfigError) as caught:
		read({})
	assert caught.value.code is Code.MISSING_KEY
	assert caught.value.details == {"path": "devices[0].host", "help": "where"}


def test_a_missing_secret_names_its_place() -> None:
	with pytest.raises(ConfigError) as caught:
		parse(Example, {"host": "h", "password_file": "/run/pw"}, secrets=no_secret, path="d")
	assert caught.value.details == {"path": "d.password_file", "kind": "file", "reference": "/run/pw"}


def test_a_secret_in_hand_is_taken() -> None:
	assert read({"host": "h", "password": Secret("s")}).password == Secret("s")


def test_description_for_forms() -> None:
	kind, opt = describe(Example)["port"]
	assert (kind, opt.help, opt.minimum, opt.maximum) == (int, "port", 1, 65_535)


@given(
	st.recursive(
		st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
		lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
		max_leaves=10,
	)
)
def test_any_value_for_any_key_is_taken_or_refused_clearly(value: object) -> None:
	for key in ("host", "port", "seconds", "tls", "zone", "colour", "tags", "inner", "file", "password", "x"):
		try:
			read({"host": "h", key: value})
		except ConfigError as error:
			assert str(error.details["path"]).startswith("devices[0]")


@pytest.mark.parametrize(
	"host",
	["192.0.2.7", "terminal", "terminal-1.branch.example", "::1", "[fe80::1]", "a_b.local", "x.", "10.0.0.1"],
)
def test_hosts(host: str) -> None:
	assert check_host(host) == host.strip("[]")


@pytest.mark.parametrize(
	"host",
	["", " ", "a b", "$(reboot)", "x;y", "x|y", "`x`", "-c1", "a..b", "1.2.3", "1.2.3.4.5", "256.1.1.1",
	 "x" * 254, "http://x", "x:80", "x/y", "user@x", "x\n"],
)  # fmt: skip
def test_what_is_no_host(host: str) -> None:
	with pytest.raises(ValueError, match="host name"):
		check_host(host)
