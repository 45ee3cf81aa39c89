"""Configuration: frozen dataclasses read from a plain mapping, strictly.

A class describes its options with `option(...)`; `parse` fills it from a mapping (a TOML table, a Desk form)
and refuses what it does not know, with the dotted path of the key. A field of type `Secret` is never written
into the mapping: its key carries the suffix `_env` or `_file` and names where the secret is. A caller that
has the secret in hand already (the site's password store) passes a `Secret` under the plain key.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeVar, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret

T = TypeVar("T")

SecretSource = Callable[[str, str], str]
"""(kind, reference) → the secret; kind is "env" or "file". Raises `ConfigError` (SECRET_MISSING)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
	"""What a form or a help page needs to know about one field."""

	help: str
	minimum: float | None = None
	maximum: float | None = None
	max_length: int | None = None
	check: Callable[[Any], Any] | None = None
	"""Called with the converted value; returns the value to keep, raises ValueError to refuse."""


def option(
	default: Any = MISSING,
	*,
	help: str,
	default_factory: Any = MISSING,
	minimum: float | None = None,
	maximum: float | None = None,
	max_length: int | None = 1024,
	check: Callable[[Any], Any] | None = None,
) -> Any:
	"""A dataclass field with a help text and bounds; required when it has no default."""
	described = Option(help=help, minimum=minimum, maximum=maximum, max_length=max_length, check=check)
	if default_factory is not MISSING:
		return dataclasses.field(default_factory=default_factory, metadata={"option": described})
	return dataclasses.field(default=default, metadata={"option": described})


def describe(config: type[Any]) -> dict[str, tuple[Any, Option]]:
	"""Field name → (type, option) of a configuration class, in its order."""
	hints = typing.get_type_hints(config)
	return {
		field.name: (hints[field.name], field.metadata.get("option", Option(help="")))
		for field in dataclasses.fields(config)
	}


def parse(config: type[T], mapping: object, *, secrets: SecretSource, path: str = "") -> T:
	"""Build `config` from `mapping`.

	:param path: dotted path of the mapping in its file, for error messages.
	:raises ConfigError: UNKNOWN_KEY, MISSING_KEY, BAD_VALUE or SECRET_MISSING, with `path`.
	"""
	if not isinstance(mapping, Mapping):
		raise ConfigError(Code.BAD_VALUE, path=path or "(whole file)", expected="a table")
	described = describe(config)
	_refuse_unknown(mapping, described, path)
	values: dict[str, Any] = {}
	for field in dataclasses.fields(config):  # type: ignore[arg-type]  # T is a dataclass by contract
		wanted, opt = described[field.name]
		found, value = _take(mapping, field.name, wanted, opt, secrets, path)
		if found:
			values[field.name] = value
		elif field.default is MISSING and field.default_factory is MISSING:
			raise ConfigError(Code.MISSING_KEY, path=_join(path, _key_of(field.name, wanted)), help=opt.help)
	try:
		return config(**values)
	except ValueError as error:  # a class may check fields against one another in __post_init__
		raise ConfigError(Code.BAD_VALUE, path=path or "(whole file)", expected=str(error)) from None


def _refuse_unknown(
	mapping: Mapping[Any, Any], described: Mapping[str, tuple[Any, Option]], path: str
) -> None:
	allowed: set[str] = set()
	for name, (wanted, _opt) in described.items():
		allowed.add(name)
		if _is_secret(wanted):
			allowed |= {f"{name}_env", f"{name}_file"}
	for key in mapping:
		if key not in allowed:
			raise ConfigError(
				Code.UNKNOWN_KEY, path=_join(path, str(key)[:80]), known=", ".join(sorted(allowed))
			)


def _take(
	mapping: Mapping[Any, Any], name: str, wanted: Any, opt: Option, secrets: SecretSource, path: str
) -> tuple[bool, Any]:
	if _is_secret(wanted):
		found, secret = _take_secret(mapping, name, secrets, path)
		return found, _checked(secret, opt, _join(path, name)) if found else None
	if name not in mapping:
		return False, None
	return True, _convert(mapping[name], wanted, opt, secrets, _join(path, name))


def _take_secret(
	mapping: Mapping[Any, Any], name: str, secrets: SecretSource, path: str
) -> tuple[bool, Secret | None]:
	given = [key for key in (name, f"{name}_env", f"{name}_file") if key in mapping]
	if not given:
		return False, None
	if len(given) > 1:
		raise ConfigError(
			Code.BAD_VALUE, path=_join(path, given[1]), expected=f"only one of {', '.join(given)}"
		)
	key = given[0]
	value = mapping[key]
	if key == name:
		if isinstance(value, Secret):
			return True, value
		raise ConfigError(
			Code.BAD_VALUE,
			path=_join(path, key),
			expected=f"no secret in this file: name its place with {name}_env or {name}_file",
		)
	if not isinstance(value, str) or not value:
		raise ConfigError(Code.BAD_VALUE, path=_join(path, key), expected="a name")
	try:
		return True, Secret(secrets(key.rsplit("_", 1)[1], value))
	except ConfigError as error:
		facts: dict[str, Any] = {**error.details, "path": _join(path, key)}
		raise ConfigError(error.code, **facts) from None


def _convert(value: Any, wanted: Any, opt: Option, secrets: SecretSource, path: str) -> Any:
	converted = _convert_type(value, wanted, opt, secrets, path)
	if isinstance(converted, str) and opt.max_length is not None and len(converted) > opt.max_length:
		raise ConfigError(Code.BAD_VALUE, path=path, expected=f"at most {opt.max_length} characters")
	if isinstance(converted, (int, float)) and not isinstance(converted, bool):
		_check_range(converted, opt, path)
	return _checked(converted, opt, path)


def _checked(value: Any, opt: Option, path: str) -> Any:
	if opt.check is None:
		return value
	try:
		return opt.check(value)
	except ValueError as error:
		raise ConfigError(Code.BAD_VALUE, path=path, expected=str(error)) from None


def _check_range(value: float, opt: Option, path: str) -> None:
	below = opt.minimum is not None and value < opt.minimum
	above = opt.maximum is not None and value > opt.maximum
	if below or above or value != value:
		raise ConfigError(Code.BAD_VALUE, path=path, expected=f"a number from {opt.minimum} to {opt.maximum}")


def _convert_type(value: Any, wanted: Any, opt: Option, secrets: SecretSource, path: str) -> Any:
	origin = get_origin(wanted)
	if origin in (Union, types.UnionType):
		inner = [arg for arg in get_args(wanted) if arg is not type(None)]
		return _convert_type(value, inner[0], opt, secrets, path)
	if origin is tuple:
		return _convert_list(value, get_args(wanted)[0], opt, secrets, path)
	if origin is dict or wanted is Mapping or origin is Mapping:
		if isinstance(value, Mapping):
			return dict(value)
		raise ConfigError(Code.BAD_VALUE, path=path, expected="a table")
	if dataclasses.is_dataclass(wanted):
		return parse(typing.cast(type, wanted), value, secrets=secrets, path=path)
	return _convert_scalar(value, wanted, path)


def _convert_list(value: Any, item: Any, opt: Option, secrets: SecretSource, path: str) -> tuple[Any, ...]:
	if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
		raise ConfigError(Code.BAD_VALUE, path=path, expected="a list")
	return tuple(
		_convert_type(element, item, opt, secrets, f"{path}[{position}]")
		for position, element in enumerate(value)
	)


def _convert_scalar(value: Any, wanted: Any, path: str) -> Any:
	if wanted is ZoneInfo:
		return _zone(value, path)
	if isinstance(wanted, type) and issubclass(wanted, PurePath):
		return wanted(_convert_scalar(value, str, path))
	if isinstance(wanted, type) and issubclass(wanted, Enum):
		try:
			return wanted(value)
		except ValueError:
			choices = ", ".join(str(member.value) for member in wanted)
			raise ConfigError(Code.BAD_VALUE, path=path, expected=f"one of {choices}") from None
	if wanted is float and isinstance(value, int) and not isinstance(value, bool):
		return float(value)
	if type(value) is wanted:
		return value
	names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
	raise ConfigError(Code.BAD_VALUE, path=path, expected=names.get(wanted, str(wanted)))


def _zone(value: Any, path: str) -> ZoneInfo:
	if isinstance(value, ZoneInfo):
		return value
	try:
		# ZoneInfo looks names up in folders: it refuses absolute and climbing paths with ValueError.
		return ZoneInfo(value)
	except (ValueError, OSError, TypeError, AttributeError, LookupError):
		raise ConfigError(
			Code.BAD_VALUE, path=path, expected="a time zone name such as Asia/Dubai or Europe/Berlin"
		) from None


def _is_secret(wanted: Any) -> bool:
	return wanted is Secret or Secret in get_args(wanted)


def _key_of(name: str, wanted: Any) -> str:
	return f"{name}_env" if _is_secret(wanted) else name


def _join(path: str, key: str) -> str:
	return f"{path}.{key}" if path else key
