"""`attendance-bridge demo`: the whole journey on one machine, from simulated terminals to a local ledger."""

from __future__ import annotations

import csv
import json
import os
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from attendance_bridge.cli import demo_camera, ending
from attendance_bridge.cli.progress import make_progress
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.latch import Latch
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.web.access.passwords import hash_password
from attendance_bridge.simulators import hikvision, workforce, zkteco
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.workforce import Worker, Workforce
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs
from attendance_bridge.stores.accounts import Accounts

ZONE = ZoneInfo("Asia/Dubai")
PASSWORD_VARIABLE = "ATTENDANCE_BRIDGE_DEMO_PASSWORD"
COMM_KEY_VARIABLE = "ATTENDANCE_BRIDGE_DEMO_COMM_KEY"
COMM_KEY = 20_261
USER = "admin"
PASSWORD = "only-a-demo-1"
"""Of the simulated terminals; they listen on loopback and end with the demo."""
ACCOUNT = "demo"
"""Of the pages. Its password is another one each time: others on the machine reach them, too."""
SHIFTS = (
	{"name": "Day Shift", "start": "08:00", "end": "17:00"},
	{"name": "Late Shift", "start": "14:00", "end": "22:30"},
	{"name": "Night Shift", "start": "22:00", "end": "06:00"},
)
"""Those that the simulated people work."""
GIVE_UP_AFTER = 300.0
"""Seconds; the demo takes a few."""
SECONDS_BETWEEN_PUNCHES = 4.0


class World:
	"""A small factory: its people, and two terminals on loopback that hold a month of their punches."""

	def __init__(self, people: int, days: int, seed: int) -> None:
		yesterday = (datetime.now(ZONE) - timedelta(days=1)).date()
		self.factory: Workforce = workforce.build(people, days, seed, yesterday)
		self.gate = hikvision.HikvisionState.from_workforce(
			self.factory, number=1, of=2, zone=ZONE, user=USER, password=PASSWORD
		)
		self.workshop = zkteco.ZktecoState.from_workforce(
			self.factory, number=2, of=2, zone=ZONE, comm_key=COMM_KEY
		)
		self._chance = random.Random(seed)  # noqa: S311  # a play, not a secret

	@contextmanager
	def open(self) -> Iterator[tuple[int, int]]:
		"""Switch the terminals on; yields their ports."""
		with ExitStack() as stack:
			gate = stack.enter_context(hikvision.HikvisionTerminal(self.gate))
			workshop = stack.enter_context(zkteco.ZktecoTerminal(self.workshop))
			yield gate.port, workshop.port

	def expected(self) -> set[tuple[str, str, datetime]]:
		"""Every punch on the terminals: (serial, id, wall time)."""
		return {(state.serial, *key) for state in (self.gate, self.workshop) for key in state.expected()}

	def somebody_punches(self) -> None:
		worker: Worker = self._chance.choice(self.factory.workers)
		if self._chance.random() < 0.5:
			hikvision_verbs.punch(self.gate, worker.device_user_id, VerifyMode.FACE)
		else:
			zkteco_verbs.punch_now(
				self.workshop,
				worker.device_user_id,
				verify_mode=VerifyMode.FINGER,
				device_key=DeviceKey.UNDEFINED,
			)

	def write_people(self, path: Path) -> None:
		"""The list of people as somebody would keep it who has no server."""
		columns = (
			"employee",
			"attendance_device_id",
			"full_name",
			"department",
			"designation",
			"status",
			"shift",
		)
		with path.open("w", encoding="utf-8", newline="") as file:
			writer = csv.writer(file)
			writer.writerow(columns)
			for worker in self.factory.workers:
				writer.writerow(
					(
						worker.employee,
						worker.device_user_id,
						worker.full_name,
						worker.department,
						worker.designation,
						worker.status,
						worker.shift,
					)
				)

	def settings(
		self, folder: Path, ports: tuple[int, int], web: dict[str, Any], camera: dict[str, Any]
	) -> edge_settings.Settings:
		"""The configuration of an agent that reads both terminals into a ledger in `folder`.

		:param camera: the tables of its camera; empty for none.
		"""
		os.environ[PASSWORD_VARIABLE] = PASSWORD
		os.environ[COMM_KEY_VARIABLE] = str(COMM_KEY)
		people = folder / "people.csv"
		self.write_people(people)
		common = {"host": "127.0.0.1", "timezone": ZONE.key, "poll_seconds": 2.0}
		return edge_settings.from_mapping(
			{
				"agent": {"name": "Demo", "database": str(folder / "demo.db"), "timezone": ZONE.key},
				**camera,
				"upstream": {"kind": "local_ledger", "people_file": str(people)},
				"web": web,
				"working_days": {"weekly_off": ["sunday"]},
				"shifts": [dict(shift) for shift in SHIFTS],
				"devices": [
					{
						**common,
						"name": "Main gate",
						"driver": "hikvision_isapi",
						"port": ports[0],
						"user": USER,
						"password_env": PASSWORD_VARIABLE,
					},
					{
						**common,
						"name": "Workshop",
						"driver": "zkteco_tcp",
						"port": ports[1],
						"comm_key_env": COMM_KEY_VARIABLE,
					},
				],
			}
		)


@click.command()
@click.option("--people", type=click.IntRange(1, 5_000), default=50, show_default=True)
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8377, show_default=True, help="Of the page.")
@click.option("--once", is_flag=True, help="Do the work, print the result, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def demo(people: int, days: int, seed: int, port: int, once: bool, as_json: bool) -> int:
	"""Watch punches travel from two simulated terminals to check-ins.

	A Hikvision and a ZKTeco terminal are simulated on loopback, speaking their real protocols. An edge agent
	reads both and keeps check-ins in a local ledger. A page on loopback shows it live.

	Where the extra `recognition` is installed, the agent also has a camera, a simulated one: two drawn people
	come and go, and are recognised by generated networks that know nothing of real faces.
	"""
	started = time.monotonic()
	ended = Latch()
	ending.on_signals(ended.set)
	world = World(people, days, seed)
	with world.open() as ports, tempfile.TemporaryDirectory(prefix="attendance-bridge-") as folder:
		web = {"enabled": not once, "port": port}
		has_camera = not once and not demo_camera.missing()
		camera = demo_camera.tables() if has_camera else {}
		agent = Agent(world.settings(Path(folder), ports, web, camera))
		try:
			demo_camera.enrol(agent, world.factory.workers)
			agent.start()
			_watch_work(agent, ended, hidden=as_json)
			result = _result(agent, world, time.monotonic() - started)
			_show(result, as_json)
			if not once and not ended.is_set():
				_stay(agent, world, ended, quiet=as_json)
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()
	return 0 if result["lost"] == 0 else 1


def _watch_work(agent: Agent, ended: Latch, *, hidden: bool) -> None:
	"""Draw progress until everything that the terminals hold is delivered or explained."""
	deadline = time.monotonic() + GIVE_UP_AFTER
	with make_progress(hidden=hidden) as bars:
		tasks = {
			device.settings.name: bars.add_task(f"reading {device.settings.name}", total=None)
			for device in agent.settings.devices
		}
		delivered = bars.add_task("delivering", total=None)
		while not ended.wait(0.05) and time.monotonic() < deadline:
			for name, progress in agent.poller.progress.items():
				bars.update(tasks[name], completed=progress.done, total=progress.expected)
			complete = [name for name in _complete(agent) if name in tasks]
			for name in complete:
				total = bars.tasks[tasks[name]].total
				bars.update(tasks[name], completed=total)
			counts = agent.punches.counts()
			waiting = counts[State.RECEIVED] + counts[State.PENDING]
			held = sum(counts.values())
			bars.update(delivered, completed=held - waiting, total=held or None)
			if len(complete) == len(tasks) and not waiting:
				return


def _complete(agent: Agent) -> list[str]:
	"""The terminals that were read to their end."""
	return [record.name for record in agent.book.all() if record.last_pull_complete]


def _result(agent: Agent, world: World, seconds: float) -> dict[str, Any]:
	counts = agent.punches.counts()
	expected = world.expected()
	held = {
		(each.punch.device_serial, each.punch.device_user_id, each.punch.wall_time)
		for each in agent.punches.each()
	}
	return {
		"devices": len(agent.settings.devices),
		"punches_on_devices": len(expected),
		"punches_held": len(held),
		"checkins": counts[State.CHECKED_IN],
		"duplicates": counts[State.DUPLICATE],
		"unmapped": counts[State.UNMAPPED],
		"quarantined": counts[State.QUARANTINED],
		"lost": len(expected - held),
		"seconds": round(seconds, 2),
	}


_EXPLANATIONS = {
	"devices": "simulated terminals, real protocols",
	"punches_on_devices": "what the terminals know they recorded",
	"punches_held": "raw, in SQLite",
	"checkins": "in the local ledger",
	"duplicates": "again within a minute: held, not checked in twice",
	"unmapped": "ids nobody has: held until somebody does",
	"quarantined": "dated 2000 or 2099: held until somebody looks",
	"lost": "on a terminal and not held",
	"seconds": "",
}


def _show(result: dict[str, Any], as_json: bool) -> None:
	if as_json:
		click.echo(json.dumps(result))
		return
	table = Table(show_header=False, box=None, pad_edge=False)
	table.add_column(style="bold")
	table.add_column(justify="right")
	table.add_column(style="dim")
	for key, value in result.items():
		table.add_row(key.replace("_", " "), f"{value:,}", _EXPLANATIONS[key])
	Console().print(table)


def _camera_words(agent: Agent) -> str:
	if agent.vision is None:
		needed = ", ".join(demo_camera.missing())
		return (
			f"Without a camera: {needed} not installed (make demo-camera installs them). "
			"With them, two drawn people come to a simulated camera."
		)
	return (
		"The simulated camera shows two drawn people who come and go; generated networks recognise them. "
		"These networks find drawn faces only: no real model is used, and none is downloaded."
	)


def _stay(agent: Agent, world: World, ended: Latch, *, quiet: bool) -> None:
	"""Keep the terminals in use, so that the page has something to show."""
	if not quiet:
		click.echo(f"\n{_camera_words(agent)}")
	if agent.web is not None and not quiet:
		password = secrets.token_hex(5)
		Accounts(agent.database).add(ACCOUNT, "manager", hash_password(password), by="demo", at=utc_now())
		click.echo(
			f"\nThe board is at {agent.web.address} — somebody punches every few seconds. Ctrl-C ends it."
		)
		click.echo(
			f"Working days, people, punches and status need a login: {ACCOUNT}, with the password {password}"
		)
	while not ended.wait(SECONDS_BETWEEN_PUNCHES):
		world.somebody_punches()
	if not quiet:
		click.echo("Stopped.")
