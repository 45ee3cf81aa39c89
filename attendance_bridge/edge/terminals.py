"""The terminals that this agent reads: those of its own configuration, and those that a site assigned to it.

What a site assigns is kept in memory only: it holds the passwords of the terminals.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from attendance_bridge import drivers
from attendance_bridge.core.config import describe, parse
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.relay import EDGE_CAMERA, Assignment, RelayedDevice
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.settings import Device, DeviceSettings, check_pushed, driver_config

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
	"""What became of an assignment."""

	revision: str = ""
	devices: tuple[Device, ...] = ()
	"""Those that only the site knows."""
	names: Mapping[str, str] = field(default_factory=dict)
	"""The site's name of each terminal → ours; the same but for those that our configuration has too."""
	unusable: Mapping[str, ConfigError] = field(default_factory=dict)
	"""The site's name → why the terminal cannot be read as the site has it."""


class Terminals:
	"""Safe to use from any thread: what is read is replaced as a whole."""

	def __init__(self, own: tuple[Device, ...], camera: Device | None = None) -> None:
		"""
		:param camera: the agent's own camera, a terminal too; it is not read, its punches come by themselves.
		"""
		self._own = own
		self._camera = camera
		self._assigned = Assigned()
		self._paired: tuple[Device, ...] = ()
		self.generation = 0
		"""Another one means: other terminals."""
		self._counting = threading.Lock()

	@property
	def all(self) -> tuple[Device, ...]:
		camera = (self._camera,) if self._camera is not None else ()
		return (*camera, *self._configured, *self._only_paired)

	@property
	def enabled(self) -> tuple[Device, ...]:
		"""Those that are to be read."""
		return tuple(
			device for device in self._configured if device.settings.enabled and not is_pushed(device)
		)

	@property
	def pushed(self) -> tuple[Device, ...]:
		"""Those that push by themselves and may: enabled, and known by serial number."""
		return tuple(
			device
			for device in (*self._configured, *self._only_paired)
			if is_pushed(device) and device.settings.enabled and device.settings.serial
		)

	def pair(self, devices: tuple[Device, ...]) -> None:
		"""Go by these terminals of the pairing list; what the configuration or the site says of one counts
		more."""
		self._paired = devices
		self._count()

	def _count(self) -> None:
		with self._counting:
			self.generation += 1

	@property
	def _configured(self) -> tuple[Device, ...]:
		return (*self._own, *self._assigned.devices)

	@property
	def _only_paired(self) -> tuple[Device, ...]:
		serials = {device.settings.serial for device in self._configured}
		names = {device.settings.name for device in self._configured}
		return tuple(
			device
			for device in self._paired
			if device.settings.serial not in serials and device.settings.name not in names
		)

	@property
	def assigned(self) -> Assigned:
		return self._assigned

	def assign(self, assignment: Assignment, serials: Mapping[str, str]) -> Assigned:
		"""Go by what the site says. A terminal that our own configuration has too is read as that says.

		:param serials: the serial number that each terminal was last seen with, by our name.
		"""
		devices: list[Device] = []
		names: dict[str, str] = {}
		unusable: dict[str, ConfigError] = {}
		for relayed in assignment.devices:
			if relayed.driver == EDGE_CAMERA:
				self._assign_camera(relayed, names, unusable)
				continue
			own = self._own_name(relayed, serials)
			if own is not None:
				logger.info("%s: the agent's own configuration of %s counts", relayed.name, own)
				names[relayed.name] = own
				continue
			try:
				devices.append(device_of(relayed))
				names[relayed.name] = relayed.name
			except ConfigError as error:
				logger.error("%s", sentence(error))
				unusable[relayed.name] = error
		self._assigned = Assigned(
			revision=assignment.revision, devices=tuple(devices), names=names, unusable=unusable
		)
		self._count()
		return self._assigned

	def _assign_camera(
		self, relayed: RelayedDevice, names: dict[str, str], unusable: dict[str, ConfigError]
	) -> None:
		"""One that has no serial number yet is ours, if we have a camera; with another's it is not."""
		serial = self._camera.settings.serial if self._camera is not None else ""
		if self._camera is not None and relayed.serial in ("", serial):
			names[relayed.name] = self._camera.settings.name
			return
		wanted = serial or "that of an agent with a camera; this one has none"
		error = ConfigError(Code.BAD_VALUE, path=f"{relayed.name}.serial", expected=wanted)
		logger.error("%s", sentence(error))
		unusable[relayed.name] = error

	def _own_name(self, relayed: RelayedDevice, serials: Mapping[str, str]) -> str | None:
		for device in self._own:
			name = device.settings.name
			serial = device.settings.serial or serials.get(name, "")
			if name == relayed.name or (relayed.serial and serial == relayed.serial):
				return name
		return None


def is_pushed(device: Device) -> bool:
	"""Whether a terminal calls by itself, and nobody reads it."""
	return not drivers.load(device.settings.driver).spec.pulled


def device_of(relayed: RelayedDevice) -> Device:
	"""Check what a site says of a terminal.

	An option that this version of the driver does not know is left out: the site may be newer.

	:raises ConfigError: it cannot be read so; `path` begins with its name.
	"""
	settings = parse(
		DeviceSettings,
		{
			"name": relayed.name,
			"driver": relayed.driver,
			"timezone": relayed.time_zone,
			"role": relayed.role,
			"user_id_prefix": relayed.user_id_prefix,
			"poll_seconds": relayed.poll_seconds,
			"serial": relayed.serial,
			"enabled": relayed.enabled,
			"live": relayed.live,
			"posts": relayed.posts,
		},
		secrets=_no_secrets,
		path=relayed.name,
	)
	if settings.driver not in drivers.names():
		known = ", ".join(drivers.names())
		raise ConfigError(Code.BAD_VALUE, path=f"{relayed.name}.driver", expected=f"one of {known}")
	described = describe(drivers.load(settings.driver).spec.config)
	options = {
		name: _hidden(value) if Secret in _types(described[name][0]) else value
		for name, value in relayed.options.items()
		# Also no name of a file or a variable: a site has no say over secrets of this machine.
		if name in described and value is not None
	}
	config = driver_config(settings.driver, options, relayed.name)
	return Device(settings=check_pushed(settings, relayed.name), config=config)


def _types(wanted: object) -> tuple[object, ...]:
	return (wanted, *getattr(wanted, "__args__", ()))


def _hidden(value: object) -> object:
	return Secret(str(value)) if isinstance(value, (str, int)) else value


def _no_secrets(kind: str, reference: str) -> str:
	raise ConfigError(Code.SECRET_MISSING, kind=kind, reference="")
