"""The table `[camera]` of the configuration: what the agent needs to know, and the options of its kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from attendance_bridge.core.config import option, parse
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge import cameras
from attendance_bridge.edge.camera import CameraReader
from attendance_bridge.edge.frame import Now
from attendance_bridge.edge.secrets import read_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
	kind: str = option(help="Which kind of camera")
	name: str = option("Camera", help="What the camera is called on pages and in logs", max_length=80)
	freeze_seconds: float = option(
		10.0, help="Without a new picture for so long, the camera is opened again", minimum=1, maximum=600
	)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredCamera:
	settings: CameraSettings
	config: Any
	"""An instance of the kind's own configuration class."""

	def reader(self, now: Now) -> CameraReader:
		"""The worker that reads it; nothing is opened yet."""
		open_camera = partial(cameras.load(self.settings.kind), self.config, now=now)
		return CameraReader(
			self.settings.name, open_camera, now=now, freeze_seconds=self.settings.freeze_seconds
		)


def camera_from(table: object, path: str = "camera") -> ConfiguredCamera:
	"""Check one camera's table.

	:raises ConfigError: no such kind, or an option that neither we nor the kind take.
	"""
	if not isinstance(table, Mapping):
		raise ConfigError(Code.BAD_VALUE, path=path, expected="a table")
	ours = {field.name for field in dataclasses.fields(CameraSettings)}
	settings = parse(
		CameraSettings,
		{key: value for key, value in table.items() if key in ours},
		secrets=read_secret,
		path=path,
	)
	if settings.kind not in cameras.names():
		raise ConfigError(
			Code.BAD_VALUE, path=f"{path}.kind", expected=f"one of {', '.join(cameras.names())}"
		)
	options = {key: value for key, value in table.items() if key not in ours}
	try:
		config = parse(cameras.load(settings.kind).spec.config, options, secrets=read_secret, path=path)
	except ConfigError as error:
		if error.code is not Code.UNKNOWN_KEY:
			raise
		known = {*ours, *str(error.details["known"]).split(", ")}
		raise ConfigError(
			Code.UNKNOWN_KEY, path=error.details["path"], known=", ".join(sorted(known))
		) from None
	return ConfiguredCamera(settings=settings, config=config)
