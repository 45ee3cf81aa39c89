"""`attendance-bridge simulate …`: terminals and a site to try things on, without any."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import click

from attendance_bridge.cli import ending
from attendance_bridge.cli.options import DATE
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge.latch import Latch
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.adms_terminal import FAULTS as ADMS_FAULTS
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.frappe_site import FAULTS as SITE_FAULTS
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState
from attendance_bridge.simulators.hikvision import FAULTS as HIKVISION_FAULTS
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.zkteco import FAULTS as ZKTECO_FAULTS
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


DEFAULT_ZONE = ZoneInfo("Asia/Dubai")
"""Where the simulated factory stands."""


class Service(Protocol):
	@property
	def port(self) -> int: ...

	def start(self) -> object: ...

	def stop(self) -> object: ...


class RelayedType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
	"""A simulated terminal with the password that it has by default."""

	name = "terminal"

	def convert(
		self, value: Any, param: click.Parameter | None, ctx: click.Context | None
	) -> RelayedTerminal:
		if isinstance(value, RelayedTerminal):
			return value
		kind, _, place = value.partition(":")
		host, _, port = place.rpartition(":")
		if kind not in _RELAYED or not host or not port.isdecimal():
			self.fail(f"{value!r} is not like hikvision:127.0.0.1:8080", param, ctx)
		driver, secrets = _RELAYED[kind]
		return RelayedTerminal(
			name=f"{kind} {place}",
			driver=driver,
			options={"host": host, "port": int(port), **secrets},
			time_zone=DEFAULT_ZONE.key,
			poll_seconds=5,
		)


USER, PASSWORD, COMM_KEY = "admin", "simulated-1", 0
_RELAYED: dict[str, tuple[str, dict[str, str]]] = {
	"hikvision": ("hikvision_isapi", {"user": USER, "password": PASSWORD}),
	"zkteco": ("zkteco_tcp", {"comm_key": str(COMM_KEY)}),
}
RELAYED = RelayedType()


@click.group()
def simulate() -> None:
	"""Simulated terminals, a camera and a site, speaking the real protocols on loopback."""


def _common(faults: dict[str, str], port: int) -> Callable[[F], F]:
	"""The options that every simulator takes."""
	listed = "\n".join(f"  {name}: {text}" for name, text in faults.items())
	options = (
		click.option("--port", type=click.IntRange(0, 65_535), default=port, show_default=True),
		click.option(
			"--people",
			type=click.IntRange(1, 50_000),
			default=50,
			show_default=True,
			help="How many workers.",
		),
		click.option(
			"--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Length of the log."
		),
		click.option("--seed", type=int, default=7, show_default=True, help="Another one, another factory."),
		click.option(
			"--until",
			type=DATE,
			help="The last day of the log; by default yesterday.",
		),
		click.option(
			"--fault",
			"faults",
			multiple=True,
			type=click.Choice(sorted(faults)),
			metavar="NAME",
			help="Switch a fault on; can be given several times. They are listed above.",
		),
	)

	def decorate(function: F) -> F:
		function.__doc__ = f"{function.__doc__}\n\n\b\nFaults:\n{listed}"
		for option in reversed(options):
			function = option(function)
		return function

	return decorate


_punch_every = click.option(
	"--punch-every",
	"seconds",
	type=click.FloatRange(0.01, 86_400),
	help="Somebody punches every so many seconds.",
)


@simulate.command()
@_common(HIKVISION_FAULTS, 8080)
@click.option("--user", default=USER, show_default=True)
@click.option("--password", default=PASSWORD, show_default=True)
@_punch_every
def hikvision(user: str, password: str, seconds: float | None, **options: Any) -> None:
	"""A Hikvision access terminal: ISAPI over HTTP with Digest authentication, alertStream, httpHosts."""
	state = HikvisionState.from_workforce(_factory(options), number=1, of=1, user=user, password=password)
	state.faults |= set(options["faults"])
	_serve(
		HikvisionTerminal(state, port=options["port"]),
		f"{_holdings(state)}, user {user}, password {password}, time zone {DEFAULT_ZONE.key}",
		_every(seconds, lambda number: hikvision_verbs.punch(state, _one_of(tuple(state.people), number))),
	)


@simulate.command()
@_common(ZKTECO_FAULTS, 4370)
@click.option("--comm-key", type=click.IntRange(0, 4_294_967_295), default=COMM_KEY, show_default=True)
@click.option("--layout", type=click.Choice(["8", "16", "40", "49"]), default="40", show_default=True)
@_punch_every
def zkteco(comm_key: int, layout: str, seconds: float | None, **options: Any) -> None:
	"""A ZKTeco terminal: the binary protocol on TCP and UDP, usually port 4370, with live events."""
	state = ZktecoState.from_workforce(
		_factory(options), number=1, of=1, comm_key=comm_key, log_layout=int(layout)
	)
	state.faults |= set(options["faults"])
	_serve(
		ZktecoTerminal(state, port=options["port"]),
		f"{_holdings(state)}, comm key {comm_key}, time zone {DEFAULT_ZONE.key}",
		_every(seconds, lambda number: zkteco_verbs.punch_now(state, _one_of(state.users(), number).user_id)),
	)


@simulate.command()
@_common(ADMS_FAULTS, 8378)
@click.option("--host", default="127.0.0.1", show_default=True, help="Of the server that they push to.")
@click.option("--prefix", default="", help="Stands before /iclock in every path, for example /token.")
@click.option("--terminals", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option(
	"--dialect",
	type=click.Choice([*(dialect.value for dialect in Dialect), "both"]),
	default=Dialect.ATTENDANCE.value,
	show_default=True,
	help="Attendance PUSH 2, Security PUSH 3, or one after the other.",
)
@click.option(
	"--pace",
	type=click.FloatRange(0.0001, 10),
	default=1.0,
	show_default=True,
	help="Real seconds for a second of waiting; 0.1 makes them ten times as impatient.",
)
@_punch_every
def adms(
	host: str, prefix: str, terminals: int, dialect: str, pace: float, seconds: float | None, **options: Any
) -> None:
	"""ZKTeco terminals that push over HTTP (ADMS) to a server; --port is the server's."""
	dialects = list(Dialect) if dialect == "both" else [Dialect(dialect)]
	factory = _factory(options)
	fleet = AdmsFleet(host=host, port=options["port"], pace=pace)
	states = [
		AdmsState.from_workforce(
			factory,
			number=number,
			of=terminals,
			dialect=dialects[number % len(dialects)],
			prefix=prefix,
			faults=options["faults"],
		)
		for number in range(1, terminals + 1)
	]
	for state in states:
		fleet.add(state)

	def punch(number: int) -> None:
		state = _one_of(states, number)
		adms_verbs.punch(state, _one_of(state.users(), number).user_id)

	ended = _ended()
	fleet.start()
	try:
		first, last = states[0].serial, states[-1].serial
		serials = first if first == last else f"{first} to {last}"
		held = sum(state.punches_held() for state in states)
		_announce(f"pushing to {host}:{options['port']}{prefix}/iclock ({serials}, {held} punches)")
		_wait(ended, _every(seconds, punch))
	finally:
		fleet.stop()
	sent = sum(len(state.acknowledged()) for state in states)
	answers = sum((state.answers for state in states), Counter[int]())
	told = ", ".join(f"{count} times {status}" for status, count in sorted(answers.items()))
	click.echo(f"{sent} punches acknowledged; answers: {told or 'none'}")


@simulate.command()
@_common(SITE_FAULTS, 8000)
@click.option("--app", "has_app", is_flag=True, help="With this app installed: the agent API instead.")
@click.option(
	"--relay",
	"relayed",
	multiple=True,
	type=RELAYED,
	metavar="KIND:HOST:PORT",
	help="With --app: let the agent relay a terminal that `simulate` started (hikvision:127.0.0.1:8080 or "
	"zkteco:127.0.0.1:4370). Can be given several times.",
)
def frappe(has_app: bool, relayed: tuple[RelayedTerminal, ...], **options: Any) -> None:
	"""An ERPNext/HRMS site: a stock one with its REST endpoints, or with --app one that has this app."""
	state = SiteState.from_workforce(_factory(options))
	state.faults |= set(options["faults"])
	bridge = Bridge(site=state, terminals=list(relayed)) if has_app or relayed else None
	_serve(
		FrappeSite(state, bridge=bridge, port=options["port"]),
		f"API key {state.api_key}, API secret {state.api_secret}, time zone {state.zone.key}",
	)


@simulate.command()
@click.option("--play", default="come-and-go", show_default=True, help="What happens.")
@click.option(
	"--out",
	type=click.Path(path_type=Path, dir_okay=False),
	help="Write a video file (.avi, .mp4 or .mkv) instead of serving the scene.",
)
@click.option(
	"--seconds", type=click.FloatRange(0.1, 3600), help="Length of the video; by default the play's."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another one, another wall and noise.")
@click.option("--width", type=click.IntRange(160, 1920), default=640, show_default=True)
@click.option("--height", type=click.IntRange(120, 1080), default=480, show_default=True)
@click.option("--fps", type=click.FloatRange(1, 60), default=15.0, show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8554, show_default=True)
@click.option("--user", default="", help="Ask for this user (Digest).")
@click.option("--password", default="simulated-1", show_default=True)
def camera(play: str, out: Path | None, seconds: float | None, **options: Any) -> None:
	"""A camera beside a door: RTSP with Motion JPEG, or a video file. Its faces are drawn and nobody's."""
	try:
		from attendance_bridge.simulators.camera import CameraState, RtspCamera
		from attendance_bridge.simulators.camera import video as camera_video
		from attendance_bridge.simulators.camera.plays import PLAYS
	except ImportError:
		raise ConfigError(Code.NOT_INSTALLED, package="opencv-python-headless", extra="recognition") from None
	if play not in PLAYS:
		raise click.BadParameter(f"one of {', '.join(sorted(PLAYS))}", param_hint="--play")
	state = CameraState(
		width=options["width"], height=options["height"], fps=options["fps"], seed=options["seed"]
	)
	lasts = PLAYS[play](state)
	if out is None:
		service = RtspCamera(state, port=options["port"], user=options["user"], password=options["password"])
		login = f", user {options['user']}, password {options['password']}" if options["user"] else ""
		_serve(service, f"rtsp, path {service.path}, {play}{login}")
		return
	try:
		frames = camera_video.write(state, out, lasts if seconds is None else seconds)
	except (OSError, ValueError) as error:
		raise click.BadParameter(str(error), param_hint="--out") from None
	click.echo(f"{out}: {frames} frames of {play}")


def _holdings(state: HikvisionState | ZktecoState) -> str:
	return f"{state.serial}, {state.punches_held()} punches"


def _factory(options: dict[str, Any]) -> workforce.Workforce:
	until: datetime | None = options["until"]
	last_day = until.date() if until else (datetime.now(DEFAULT_ZONE) - timedelta(days=1)).date()
	return workforce.build(options["people"], options["days"], options["seed"], last_day)


Ticks = Iterator[float]
"""Does something each time it is advanced, and says after how many seconds to do so again."""


def _every(seconds: float | None, act: Callable[[int], object]) -> Ticks:
	for number in itertools.count() if seconds is not None else ():
		yield seconds or 0.0
		act(number)


def _one_of(choices: Sequence[T], number: int) -> T:
	return choices[number % len(choices)]


def _serve(service: Service, facts: str, ticks: Ticks | None = None) -> None:
	"""Run until Ctrl-C or SIGTERM."""
	ended = _ended()
	service.start()
	try:
		_announce(f"listening on 127.0.0.1:{service.port} ({facts})")
		_wait(ended, ticks)
	finally:
		service.stop()


def _announce(what: str) -> None:
	click.echo(f"{what}; Ctrl-C ends it")


def _ended() -> Latch:
	"""Set at Ctrl-C and SIGTERM; to be made before anybody is told that these end it."""
	ended = Latch()
	ending.on_signals(ended.set)
	return ended


def _wait(ended: Latch, ticks: Ticks | None) -> None:
	while not ended.wait(next(ticks or iter(()), None)):
		pass
