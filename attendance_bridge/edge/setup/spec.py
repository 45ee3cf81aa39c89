"""A table of the configuration in one line, as an option of the command line has it: key=value,key=value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from attendance_bridge.core.config import describe
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge.secrets import read_secret

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def split(spec: str) -> dict[str, str]:
	"""
	:raises ConfigError: BAD_VALUE, it is not of that form. The text is not repeated: it may hold a password.
	"""
	values: dict[str, str] = {}
	for part in spec.split(","):
		key, is_there, value = part.partition("=")
		if not is_there or not key.strip() or key.strip() in values:
			raise ConfigError(
				Code.BAD_VALUE, path="the line", expected="key=value, key=value … with every key once"
			)
		values[key.strip()] = value.strip()
	return values


def typed(values: Mapping[str, str], *configs: type[Any]) -> dict[str, object]:
	"""The values as the options of these classes want them; what none of them knows stays text.

	A secret named by `…_file` is read, and stands as a `Secret` under its plain key.

	:raises ConfigError: a number that is none, or a file that cannot be read.
	"""
	wanted: dict[str, Any] = {}
	for config in configs:
		wanted.update({name: kind for name, (kind, _option) in describe(config).items()})
	table: dict[str, object] = {}
	for key, value in values.items():
		plain = key.removesuffix("_file")
		if key != plain and Secret in _kinds(wanted.get(plain)):
			try:
				table[plain] = Secret(read_secret("file", value))
			except ConfigError as error:
				raise ConfigError(error.code, path=key, kind="file", reference=value) from None
		else:
			table[key] = _converted(key, value, wanted.get(key))
	return table


def _kinds(wanted: Any) -> tuple[Any, ...]:
	return get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)


def _converted(key: str, value: str, wanted: Any) -> object:
	kinds = _kinds(wanted)
	if bool in kinds:
		if value.lower() not in _TRUTH:
			raise ConfigError(Code.BAD_VALUE, path=key, expected="true or false")
		return _TRUTH[value.lower()]
	for kind, called in ((int, "a whole number"), (float, "a number")):
		if kind in kinds:
			try:
				return kind(value)
			except ValueError:
				raise ConfigError(Code.BAD_VALUE, path=key, expected=called) from None
	if Path in kinds:
		return str(Path(value).absolute())
	return value
