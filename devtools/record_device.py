"""Records a conversation with a terminal, redacted, as a file that the tests can replay.

	python devtools/record_device.py --driver hikvision_isapi --host 192.0.2.10 --user admin \\
		--password-env GATE_PASSWORD --timezone Asia/Dubai --out tests/recordings/NAME.json

It asks who the terminal is, its clock, a few pages of its log and its own count, and changes nothing on it.
What is written holds no name, id, card, password, serial number or address of yours: see docs/diagnostics.md.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attendance_bridge
from attendance_bridge import drivers
from attendance_bridge.core import config as configuration
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.recording import Limits, Recordable, Recording, Tape, interview, make_recording


def record(
	driver: str,
	config: Any,
	*,
	zone: ZoneInfo,
	now: datetime,
	window: Window,
	source: str,
	title: str = "",
	limits: Limits | None = None,
) -> Recording:
	"""Talk to a terminal and return what may be told of it; a failure becomes a part of it.

	:param config: an instance of the driver's configuration.
	:param now: the present moment, aware; it stands still during the conversation.
	:param source: "terminal" or "simulator".
	:raises TypeError: this driver cannot be recorded.
	"""
	driver_class: Any = drivers.load(driver)
	tape = Tape(limits)
	with driver_class(config, zone=zone, now=lambda: now) as conversation:
		if not isinstance(conversation, Recordable):
			raise TypeError(driver)
		conversation.overhear(tape)
		steps = interview(conversation, window, tape.limits, stop=lambda: tape.is_full)
	return make_recording(
		conversation,
		tape,
		steps,
		key=secrets.token_bytes(32),
		driver=driver,
		app_version=attendance_bridge.__version__,
		source=source,
		title=title,
		recorded_at=now.isoformat(),
		time_zone=zone.key,
		window=(window.start.isoformat(), window.end.isoformat()),
	)


def main() -> int:
	options = _parser().parse_args()
	zone, now = ZoneInfo(options.timezone), datetime.now(timezone.utc).replace(microsecond=0)
	end = now.astimezone(zone)
	recording = record(
		options.driver,
		_config(options),
		zone=zone,
		now=now,
		window=Window(start=end - timedelta(days=options.days), end=end),
		source=options.source,
		title=options.title,
	)
	options.out.write_text(recording.to_text(), encoding="utf-8")
	print(f"{options.out}: {len(recording.exchanges)} exchanges")
	for step in recording.expected:
		error = step.get("error")
		print(f"  {step['ask']}: {error['code'] if error else 'answered'}")
	return 0


def _parser() -> argparse.ArgumentParser:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--driver", required=True, choices=drivers.names())
	parser.add_argument("--host", required=True)
	parser.add_argument("--port", type=int)
	parser.add_argument("--user")
	parser.add_argument("--password-env", metavar="VAR", help="environment variable that holds the password")
	parser.add_argument("--comm-key-env", metavar="VAR", help="environment variable that holds the comm key")
	parser.add_argument(
		"--option", action="append", default=[], metavar="NAME=VALUE", help="text option of the driver"
	)
	parser.add_argument("--timezone", required=True, help="of the wall that the terminal hangs on")
	parser.add_argument("--days", type=int, default=7, help="how far back to count and to read by time")
	parser.add_argument("--source", choices=("terminal", "simulator"), default="terminal")
	parser.add_argument("--title", default="", help="what is remarkable about it")
	parser.add_argument("--out", type=Path, required=True)
	return parser


def _config(options: argparse.Namespace) -> Any:
	named = ("host", "port", "user", "password_env", "comm_key_env")
	given: dict[str, Any] = {name: getattr(options, name) for name in named if getattr(options, name)}
	given |= dict(text.partition("=")[::2] for text in options.option)
	return configuration.parse(drivers.load(options.driver).spec.config, given, secrets=_secret(os.environ))


def _secret(environment: Mapping[str, str]) -> configuration.SecretSource:
	def look_up(kind: str, name: str) -> str:
		if kind != "env" or not environment.get(name):
			raise ConfigError(Code.SECRET_MISSING, kind=kind, reference=name)
		return environment[name]

	return look_up


if __name__ == "__main__":
	sys.exit(main())
