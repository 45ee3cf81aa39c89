"""The options of a driver on a form: described for it, and read back into the driver's configuration.

Device Configuration has fields of its own for what most terminals need. Everything else that a driver's
`Config` declares is an option of that driver, kept as JSON in the field `driver_options`. Secrets are in
neither: they stand in the Password field alone.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin

from attendance_bridge import drivers
from attendance_bridge.core import config as configuration
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret

FIELDS = {
	"host": "device_ip",
	"port": "port",
	"user": "device_user",
	"major": "major",
	"minor": "minor",
	"networks": "push_networks",
}
"""Names in a driver's `Config`, and the fields of Device Configuration that stand for them."""

SECRET_FIELD = "device_user_password"
SECRET_FIELDS = {"push_token": "push_token"}
"""The fields for secrets of other names than most."""

MAX_LENGTH = 10_000
"""Characters of JSON; the options of a driver take a few hundred."""

_FIELDTYPES = {bool: "Check", int: "Int", float: "Float"}


def names() -> tuple[str, ...]:
	"""The drivers that are there."""
	return drivers.names()


def describe(driver: str) -> dict[str, Any]:
	"""What the form has to know about a driver.

	:returns: `name`, `label`, `pulled`, `capabilities`, `fields` (the fields of Device Configuration that it
		uses, each with `required` and `help`) and `options` (each with `name`, `fieldtype`, `default`,
		`help`, `choices`).
	:raises KeyError: there is no such driver.
	"""
	spec = drivers.load(driver).spec
	described = configuration.describe(spec.config)
	defaults = _defaults(spec.config)
	return {
		"name": driver,
		"label": spec.label,
		"pulled": spec.pulled,
		"capabilities": sorted(capability.value for capability in spec.capabilities),
		"fields": {
			_field_of(name, wanted): {"required": name not in defaults, "help": option.help}
			for name, (wanted, option) in described.items()
			if _field_of(name, wanted)
		},
		"options": [
			{
				"name": name,
				"fieldtype": _fieldtype(wanted),
				"choices": _choices(wanted),
				"default": _plain(defaults.get(name)),
				"help": option.help,
			}
			for name, (wanted, option) in described.items()
			if not _field_of(name, wanted)
		],
	}


def secret_field(driver: str) -> str:
	"""The field of Device Configuration in which a driver's secret stands."""
	described = configuration.describe(drivers.load(driver).spec.config)
	secrets = [name for name, (wanted, _option) in described.items() if _is_secret(wanted)]
	return SECRET_FIELDS.get(secrets[0], SECRET_FIELD) if secrets else SECRET_FIELD


def normalise(driver: str, text: str | None) -> str | None:
	"""The JSON of `driver_options` as it is stored: no key that the driver lacks, none at its default.

	:raises ConfigError: not a JSON object (BAD_VALUE), or an unknown key (UNKNOWN_KEY): that of a secret
		or of a field of the form among them.
	"""
	given = _loaded(text)
	described = configuration.describe(drivers.load(driver).spec.config)
	own = [name for name, (wanted, _option) in described.items() if not _field_of(name, wanted)]
	for key in given:
		if key not in own:
			raise ConfigError(Code.UNKNOWN_KEY, path=f"driver_options.{key[:80]}", known=", ".join(own))
	defaults = _defaults(drivers.load(driver).spec.config)
	kept = {name: given[name] for name in own if name in given and given[name] != _plain(defaults.get(name))}
	return json.dumps(kept, sort_keys=True) if kept else None


def parse(values: Any, secret: Secret | None) -> Any:
	"""The driver's configuration, from the fields of Device Configuration.

	:param values: the document, or a row with at least `driver`, `driver_options` and the fields of `FIELDS`.
	:param secret: what stands in the driver's Password field; None if it is empty.
	:raises ConfigError: with the path of the option, as the driver names it.
	"""
	return parse_given(values.driver, given(values, secret))


def parse_given(driver: str, mapping: Mapping[str, Any]) -> Any:
	"""The driver's configuration, from what `given` has found.

	:raises ConfigError: as `parse`.
	"""
	return configuration.parse(drivers.load(driver).spec.config, mapping, secrets=no_secrets)


def given(values: Any, secret: Secret | None) -> dict[str, Any]:
	"""What the fields of Device Configuration say, under the names of the driver's `Config`; not yet checked.

	What stands at its default in `driver_options` is left out; parameters as of `parse`.
	"""
	spec_config = drivers.load(values.driver).spec.config
	mapping: dict[str, Any] = _loaded(values.driver_options)
	for name, (wanted, _option) in configuration.describe(spec_config).items():
		if _is_secret(wanted):
			if secret is not None:
				mapping[name] = secret
		elif name in FIELDS and (value := values.get(FIELDS[name])) not in (None, ""):
			mapping[name] = value
	if not mapping.get("port"):  # an empty number of a form is 0: the driver's usual port
		mapping.pop("port", None)
	return mapping


def fieldname_of(driver: str, name: str) -> str:
	"""The field of Device Configuration behind a name in a driver's `Config`; the name itself if none is."""
	described = configuration.describe(drivers.load(driver).spec.config) if driver in names() else {}
	secrets = {secret for secret, (wanted, _option) in described.items() if _is_secret(wanted)}
	plain = name.removesuffix("_env").removesuffix("_file")
	if plain in secrets:
		return SECRET_FIELDS.get(plain, SECRET_FIELD)
	return FIELDS.get(name, name)


def no_secrets(kind: str, reference: str) -> str:
	"""On a site no secret comes from a file or the environment: an option must not be able to read them."""
	raise ConfigError(Code.SECRET_MISSING, kind=kind, reference="")


def _loaded(text: str | None) -> dict[str, Any]:
	if not text:
		return {}
	try:
		loaded = json.loads(text) if len(text) <= MAX_LENGTH else None
	except (ValueError, RecursionError):
		loaded = None
	if not isinstance(loaded, dict):
		raise ConfigError(Code.BAD_VALUE, path="driver_options", expected="a JSON object of options")
	return loaded


def _field_of(name: str, wanted: Any) -> str | None:
	return SECRET_FIELDS.get(name, SECRET_FIELD) if _is_secret(wanted) else FIELDS.get(name)


def _is_secret(wanted: Any) -> bool:
	return wanted is Secret or Secret in get_args(wanted)


@functools.cache
def _defaults(config: type[Any]) -> Mapping[str, Any]:
	found: dict[str, Any] = {}
	for field in dataclasses.fields(config):
		if field.default is not dataclasses.MISSING:
			found[field.name] = field.default
		elif field.default_factory is not dataclasses.MISSING:
			found[field.name] = field.default_factory()
	return types.MappingProxyType(found)


def _fieldtype(wanted: Any) -> str:
	wanted = _inner(wanted)
	if isinstance(wanted, type) and issubclass(wanted, Enum):
		return "Select"
	return _FIELDTYPES.get(wanted, "Data")


def _choices(wanted: Any) -> list[str]:
	wanted = _inner(wanted)
	if isinstance(wanted, type) and issubclass(wanted, Enum):
		return [str(member.value) for member in wanted]
	return []


def _inner(wanted: Any) -> Any:
	"""The type behind an Optional."""
	if get_origin(wanted) in (Union, types.UnionType):
		return next(argument for argument in get_args(wanted) if argument is not type(None))
	return wanted


def _plain(value: Any) -> Any:
	return value.value if isinstance(value, Enum) else value
