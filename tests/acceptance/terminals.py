"""Two simulated terminals in this process, and how a user names them to the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from attendance_bridge.simulators import hikvision, workforce, zkteco
from tests.acceptance import toml

ZONE = ZoneInfo("Asia/Dubai")
USER, PASSWORD = "admin", "Terminal-77"
COMM_KEY = 471199
ENVIRONMENT = {"GATE_PASSWORD": PASSWORD, "WORKSHOP_KEY": str(COMM_KEY)}
"""Where the configuration below finds its secrets."""

LAST_DAY = date(2026, 3, 12)
DAYS = 4
FROM_TO = ("--from", "2026-03-09", "--to", "2026-03-12")

HIKVISION, ZKTECO = "hikvision_isapi", "zkteco_tcp"


def factory() -> workforce.Workforce:
	return workforce.build(12, DAYS, seed=11, last_day=LAST_DAY)


def gate(*faults: str) -> hikvision.HikvisionState:
	return hikvision.HikvisionState.from_workforce(
		factory(), number=1, of=2, zone=ZONE, user=USER, password=PASSWORD, faults=faults
	)


def workshop(*faults: str) -> zkteco.ZktecoState:
	return zkteco.ZktecoState.from_workforce(
		factory(), number=2, of=2, zone=ZONE, comm_key=COMM_KEY, faults=faults
	)


def pull_arguments(driver: str, port: int, db: Path) -> list[object]:
	"""A `pull` of the whole period, without the credentials."""
	place = ("--driver", driver, "--host", "127.0.0.1", "--port", port, "--timezone", ZONE.key)
	return ["pull", *place, *FROM_TO, "--db", db, "--json"]


def credentials(driver: str) -> list[object]:
	"""The right ones, for `pull`; the password itself is in `ENVIRONMENT`."""
	if driver == HIKVISION:
		return ["--user", USER, "--password-env", "GATE_PASSWORD"]
	return ["--comm-key", COMM_KEY]


def gate_table(port: int) -> dict[str, toml.Value]:
	return {
		"name": "Gate",
		"driver": HIKVISION,
		"host": "127.0.0.1",
		"port": port,
		"timezone": ZONE.key,
		"user": USER,
		"password_env": "GATE_PASSWORD",
	}


def workshop_table(port: int) -> dict[str, toml.Value]:
	return {
		"name": "Workshop",
		"driver": ZKTECO,
		"host": "127.0.0.1",
		"port": port,
		"timezone": ZONE.key,
		"comm_key_env": "WORKSHOP_KEY",
	}
