"""The configuration of an edge agent: one TOML file, refused as a whole if anything in it is wrong."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attendance_bridge import drivers, upstreams
from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.config import option, parse
from attendance_bridge.core.debounce import DebounceRules
from attendance_bridge.core.direction import DeviceRole, DirectionRules
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.projection import DevicePolicy, Rules
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.secrets import read_secret
from attendance_bridge.edge.web_settings import WebSettings, check_web
from attendance_bridge.edge.workdays.settings import TABLES as WORKDAY_TABLES
from attendance_bridge.edge.workdays.settings import WorkingDays, working_days_from

if sys.version_info >= (3, 11):
	import tomllib
else:
	import tomli as tomllib

if TYPE_CHECKING:
	from attendance_bridge.edge.vision.settings import VisionSettings

MAX_FILE_BYTES = 1_000_000
MAX_DEVICES = 2_000
LOG_LEVELS = ("debug", "info", "warning", "error")
LOCAL_LEDGER = "local_ledger"
VISION_TABLES = ("camera", "recognition", "gallery", "kiosk", "enrollment")


def _not_blank(value: str) -> str:
	if not value.strip():
		raise ValueError("some text")
	return value


def _log_level(value: str) -> str:
	if value.lower() not in LOG_LEVELS:
		raise ValueError(f"one of {', '.join(LOG_LEVELS)}")
	return value.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
	name: str = option("edge agent", help="how this agent is called on pages and in logs", max_length=80)
	database: Path = option(Path("attendance-bridge.db"), help="the SQLite file that holds every punch")
	backup: Path | None = option(
		None, help="the file or the folder that your backup job writes; the status page tells its age"
	)
	log_level: str = option("info", help="debug, info, warning or error", check=_log_level)
	timezone: ZoneInfo | None = option(
		None, help="time zone of the place where the agent stands; needed with a camera"
	)
	workers: int = option(8, help="how many terminals are read at the same time", minimum=1, maximum=64)
	listeners: int = option(
		32,
		help="how many terminals are listened to at the same time; the others are only read",
		minimum=0,
		maximum=256,
	)
	people_minutes: float = option(
		10.0, help="how often the list of people is fetched", minimum=0.1, maximum=1440
	)

	@property
	def zone(self) -> ZoneInfo:
		"""Of the place where the agent stands; UTC where nobody has said."""
		return self.timezone or ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
	"""What the agent itself needs to know about a terminal; the driver's own options stand beside it."""

	name: str = option(help="a name for the terminal, used once", max_length=140, check=_not_blank)
	driver: str = option(help="the terminal family")
	timezone: ZoneInfo = option(help="time zone of the wall that the terminal hangs on")
	role: DeviceRole = option(
		DeviceRole.KEY, help="key (as the pressed key says), in, out, or both (alternate, keys mean nothing)"
	)
	user_id_prefix: str = option(
		"", help="put before every id of this terminal when its person is looked up", max_length=32
	)
	poll_seconds: float = option(60.0, help="how often new punches are fetched", minimum=1, maximum=86_400)
	serial: str = option("", help="serial number; another terminal at this address is refused", max_length=64)
	enabled: bool = option(True, help="false leaves the terminal alone")
	live: bool = option(
		False, help="true listens to the terminal as well, where its driver can: punches come within a second"
	)
	posts: bool = option(
		False, help="true has a Hikvision terminal post its events to this agent; needs [receiver] enabled"
	)

	@property
	def policy(self) -> DevicePolicy:
		return DevicePolicy(role=self.role, user_id_prefix=self.user_id_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
	"""A configured terminal: our settings and its driver's."""

	settings: DeviceSettings
	config: Any
	"""An instance of the driver's own configuration class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
	kind: str
	config: Any
	"""An instance of the upstream's own configuration class."""

	@property
	def takes_everybody(self) -> bool:
		"""Whether there is no list of people: every id on a terminal is a person."""
		return self.kind == LOCAL_LEDGER and not self.config.people_file


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSettings:
	clock_tolerance_seconds: float = option(
		120.0, help="a terminal's clock may be off by this much", minimum=1, maximum=86_400
	)
	debounce_seconds: float = option(
		60.0, help="a second punch within this time is an echo; 0 keeps all", minimum=0, maximum=3_600
	)
	working_day_hours: float = option(
		15.0, help="how long after an IN its OUT can still come", minimum=1, maximum=48
	)

	def rules(self) -> Rules:
		return Rules(
			clock=ClockRules(tolerance=timedelta(seconds=self.clock_tolerance_seconds)),
			debounce=DebounceRules(window=timedelta(seconds=self.debounce_seconds)),
			direction=DirectionRules(working_day=timedelta(hours=self.working_day_hours)),
		)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
	agent: AgentSettings = dataclasses.field(default_factory=AgentSettings)
	rules: RulesSettings = dataclasses.field(default_factory=RulesSettings)
	web: WebSettings = dataclasses.field(default_factory=WebSettings)
	upstream: UpstreamSettings
	devices: tuple[Device, ...] = ()
	receiver: ReceiverSettings = dataclasses.field(default_factory=ReceiverSettings)
	vision: VisionSettings | None = None
	"""The tables of VISION_TABLES; None for an agent without a camera."""
	working_days: WorkingDays | None = None
	"""The tables of WORKDAY_TABLES; None where a site counts working days."""

	@property
	def enabled_devices(self) -> tuple[Device, ...]:
		return tuple(device for device in self.devices if device.settings.enabled)


def load(path: Path) -> Settings:
	"""Read and check the file.

	:raises ConfigError: with the path of the key (or of the file) that is wrong.
	"""
	return from_mapping(_read_toml(path))


def _read_toml(path: Path) -> Mapping[str, Any]:
	try:
		with path.open("rb") as file:
			content = file.read(MAX_FILE_BYTES + 1)
	except OSError as error:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=error.strerror or "") from None
	if len(content) > MAX_FILE_BYTES:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why="larger than 1 MB")
	try:
		return dict(tomllib.loads(content.decode("utf-8")))
	except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=f"not TOML: {error}") from None


def from_mapping(mapping: Mapping[str, Any]) -> Settings:
	"""Build the settings from the tables of the file."""
	known = {field.name for field in dataclasses.fields(Settings)} - {"vision"}
	known |= {*VISION_TABLES, *WORKDAY_TABLES}
	for key in mapping:
		if key not in known:
			raise ConfigError(Code.UNKNOWN_KEY, path=str(key), known=", ".join(sorted(known)))
	agent = parse(AgentSettings, mapping.get("agent", {}), secrets=read_secret, path="agent")
	upstream = _upstream(mapping.get("upstream", {"kind": LOCAL_LEDGER}))
	return Settings(
		agent=agent,
		rules=parse(RulesSettings, mapping.get("rules", {}), secrets=read_secret, path="rules"),
		web=check_web(parse(WebSettings, mapping.get("web", {}), secrets=read_secret, path="web")),
		upstream=upstream,
		devices=_devices(mapping.get("devices", [])),
		receiver=parse(ReceiverSettings, mapping.get("receiver", {}), secrets=read_secret, path="receiver"),
		vision=_vision(mapping, agent),
		working_days=_working_days(mapping, upstream, agent),
	)


def _working_days(
	mapping: Mapping[str, Any], upstream: UpstreamSettings, agent: AgentSettings
) -> WorkingDays | None:
	given = [table for table in WORKDAY_TABLES if table in mapping]
	if upstream.kind != LOCAL_LEDGER:
		if given:
			raise ConfigError(
				Code.BAD_VALUE,
				path=given[0],
				expected="left out: the site counts working days",
			)
		return None
	if mapping.get("shifts") and agent.timezone is None:
		raise ConfigError(
			Code.MISSING_KEY, path="agent.timezone", help="the time zone in which shifts are meant"
		)
	return working_days_from(mapping)


def _vision(mapping: Mapping[str, Any], agent: AgentSettings) -> VisionSettings | None:
	if not any(table in mapping for table in VISION_TABLES):
		return None
	if agent.timezone is None:
		raise ConfigError(Code.MISSING_KEY, path="agent.timezone", help="the time zone of the camera's wall")
	# What it needs is heavy, and not there on a machine that only relays terminals.
	try:
		from attendance_bridge.edge.vision.settings import vision_from
	except ModuleNotFoundError as error:
		if (error.name or "").startswith("attendance_bridge"):
			raise
		raise ConfigError(Code.NOT_INSTALLED, package=error.name or "numpy", extra="recognition") from None
	return vision_from(mapping)


def _upstream(table: object) -> UpstreamSettings:
	if not isinstance(table, Mapping):
		raise ConfigError(Code.BAD_VALUE, path="upstream", expected="a table")
	kind = table.get("kind", LOCAL_LEDGER)
	if kind not in upstreams.names():
		raise ConfigError(
			Code.BAD_VALUE, path="upstream.kind", expected=f"one of {', '.join(upstreams.names())}"
		)
	options = {key: value for key, value in table.items() if key != "kind"}
	config = _parse_beside(upstreams.load(kind).spec.config, options, "upstream", ("kind",))
	return UpstreamSettings(kind=kind, config=config)


def _devices(tables: object) -> tuple[Device, ...]:
	if not isinstance(tables, list) or len(tables) > MAX_DEVICES:
		raise ConfigError(Code.BAD_VALUE, path="devices", expected="[[devices]] tables, at most 2000")
	devices = tuple(_device(table, f"devices[{position}]") for position, table in enumerate(tables))
	seen: set[str] = set()
	for position, device in enumerate(devices):
		if device.settings.name in seen:
			raise ConfigError(
				Code.BAD_VALUE, path=f"devices[{position}].name", expected="a name that no other device has"
			)
		seen.add(device.settings.name)
	return devices


def _device(table: object, path: str) -> Device:
	if not isinstance(table, Mapping):
		raise ConfigError(Code.BAD_VALUE, path=path, expected="a table")
	ours = {field.name for field in dataclasses.fields(DeviceSettings)}
	settings = parse(
		DeviceSettings,
		{key: value for key, value in table.items() if key in ours},
		secrets=read_secret,
		path=path,
	)
	config = driver_config(settings.driver, _others(table, ours), path, ours)
	return Device(settings=check_pushed(settings, path), config=config)


def check_pushed(settings: DeviceSettings, path: str) -> DeviceSettings:
	"""Return the settings, unless they are of a terminal that calls by itself and could not be told by them.

	:raises ConfigError: it has no serial number.
	"""
	if not drivers.load(settings.driver).spec.pulled and not settings.serial:
		raise ConfigError(
			Code.MISSING_KEY, path=f"{path}.serial", help="by which a terminal is known that calls by itself"
		)
	return settings


def _others(table: Mapping[str, Any], ours: set[str]) -> dict[str, Any]:
	return {key: value for key, value in table.items() if key not in ours}


def driver_config(driver: str, options: Mapping[str, Any], path: str, beside: Iterable[str] = ()) -> Any:
	"""The options of one driver, checked.

	:param beside: the keys of ours that stand in the same table.
	:raises ConfigError: no such driver, or an option that it does not take.
	"""
	# The agent's own camera has its own tables, and comes by itself.
	known = [name for name in drivers.names() if name != EDGE_CAMERA]
	if driver not in known:
		raise ConfigError(Code.BAD_VALUE, path=f"{path}.driver", expected=f"one of {', '.join(known)}")
	return _parse_beside(drivers.load(driver).spec.config, options, path, beside)


def _parse_beside(config: type[Any], options: Mapping[str, Any], path: str, beside: Iterable[str]) -> Any:
	"""Parse options that share a table with keys of ours: what is known there is both."""
	try:
		return parse(config, options, secrets=read_secret, path=path)
	except ConfigError as error:
		if error.code is not Code.UNKNOWN_KEY:
			raise
		known = {*beside, *str(error.details["known"]).split(", ")}
		raise ConfigError(
			Code.UNKNOWN_KEY, path=error.details["path"], known=", ".join(sorted(known))
		) from None
