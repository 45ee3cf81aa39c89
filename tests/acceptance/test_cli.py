"""The commands as a user types them."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from attendance_bridge import __version__
from attendance_bridge.cli.root import root
from attendance_bridge.simulators import adms_terminal, frappe_site, hikvision, zkteco
from tests.acceptance import toml
from tests.acceptance.command import EVERY_PAGE, PROGRAM, Finished, Running, run, run_installed, wait_until
from tests.acceptance.terminals import (
	COMM_KEY,
	DAYS,
	ENVIRONMENT,
	HIKVISION,
	LAST_DAY,
	PASSWORD,
	ZKTECO,
	ZONE,
	credentials,
	factory,
	gate,
	gate_table,
	pull_arguments,
	workshop,
	workshop_table,
)
from tests.simulators.adms_desk import Desk

SIMULATE = {
	HIKVISION: ("hikvision", "--password", PASSWORD),
	ZKTECO: ("zkteco", "--comm-key", COMM_KEY),
}
FACTORY = ("--people", 12, "--days", DAYS, "--seed", 11, "--until", LAST_DAY.isoformat(), "--port", 0)


def test_version() -> None:
	assert run_installed("--version").out.split() == ["attendance-bridge,", "version", __version__]


def test_every_command_stands_where_its_group_says() -> None:
	groups: list[click.Group] = [root]
	names = []
	while groups:
		group = groups.pop()
		context = click.Context(group)
		for name in group.list_commands(context):
			command = group.get_command(context, name)
			assert command is not None
			assert command.name == name
			assert command.get_short_help_str(), name
			names.append(name)
			if isinstance(command, click.Group):
				groups.append(command)
	assert len(names) > 40
	assert {"demo", "check", "export-days", "retry", "hikvision"} <= set(names)


def test_a_start_loads_only_what_its_command_needs() -> None:
	"""On a small machine all of it takes many seconds."""
	looked_for = ("cheroot", "flask", "limits", "requests", "xlsxwriter", "attendance_bridge.simulators")
	program = (
		"import sys\n"
		"from attendance_bridge.cli.root import run\n"
		"assert run(['punches', '--help']) == 0\n"
		f"print([name for name in {looked_for!r} if name in sys.modules])\n"
	)
	done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
	assert done.stdout.splitlines()[-1] == "[]"


def test_demo_brings_everything(tmp_path: Path) -> None:
	done = run_installed("demo", "--once", "--json", "--people", 20, "--days", 10, cwd=tmp_path)

	assert done.code == 0, done.err
	result = done.json
	assert list(result) == [
		"devices",
		"punches_on_devices",
		"punches_held",
		"checkins",
		"duplicates",
		"unmapped",
		"quarantined",
		"lost",
		"seconds",
	]
	assert result["devices"] == 2
	assert result["punches_on_devices"] == result["punches_held"] > 500
	assert result["lost"] == 0
	accounted = ("checkins", "duplicates", "unmapped", "quarantined")
	assert sum(result[key] for key in accounted) == result["punches_held"]
	assert all(result[key] > 0 for key in accounted)
	assert done.err == ""
	assert not list(tmp_path.iterdir()), "the demo leaves something behind"


LIGHT = """
import sys
sys.modules.update(dict.fromkeys(("cv2", "numpy", "onnxruntime")))  # as if they were not installed
from attendance_bridge.cli.entry import main
sys.argv = ["attendance-bridge", "demo", "--people", "5", "--days", "3", "--port", "0"]
main()
"""


def test_demo_without_what_recognises_says_what_is_missing(tmp_path: Path) -> None:
	with Running("-c", LIGHT, log=tmp_path / "log", program=Path(sys.executable)) as demo:
		wait_until(lambda: "The board is at" in demo.printed, "the demo did not begin")
		assert "Without a camera: cv2, numpy, onnxruntime not installed" in " ".join(demo.printed.split())
		address = re.search(r"http://[0-9.:]+/", demo.printed)
		assert address
		assert [each["name"] for each in _get_json(f"{address[0]}api/v1/board")["devices"]] == [
			"Main gate",
			"Workshop",
		]
		wait_until(lambda: "need a login: demo, with the password" in demo.printed, "no login is named")
		assert demo.end() == 0


def test_demo_with_a_camera_shows_a_kiosk(tmp_path: Path) -> None:
	pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
	with Running("demo", "--people", 5, "--days", 3, "--port", 0, log=tmp_path / "log") as demo:
		wait_until(lambda: "The board is at" in demo.printed, "the demo did not begin")
		assert "no real model is used, and none is downloaded" in " ".join(demo.printed.split())
		address = re.search(r"http://[0-9.:]+/", demo.printed)
		assert address
		status = _get_json(f"{address[0]}api/v1/kiosk/status")
		assert (status["people"], status["generated"]) == (2, True)
		wait_until(
			lambda: _get_json(f"{address[0]}api/v1/kiosk/status")["punches"],
			"nobody came to the camera",
			every=EVERY_PAGE,
		)
		assert demo.end() == 0


def test_demo_for_people_explains_its_figures() -> None:
	done = run("demo", "--once", "--people", 5, "--days", 3)

	assert done.code == 0
	assert re.search(r"lost +0 +on a terminal and not held", done.out)
	assert "Traceback" not in done.err


@pytest.mark.parametrize("driver", [HIKVISION, ZKTECO])
def test_pull_brings_each_punch_once(tmp_path: Path, driver: str) -> None:
	db = tmp_path / "punches.db"
	in_window = {
		(each.device_user_id, each.wall_time)
		for each in factory().at_terminal(1, 1)
		if each.wall_time.year == LAST_DAY.year
	}
	with Running("simulate", *SIMULATE[driver], *FACTORY, log=tmp_path / "simulator.log") as simulator:
		port = int(re.findall(r"listening on 127\.0\.0\.1:(\d+)", simulator.wait_for("listening on"))[0])
		command = [*pull_arguments(driver, port, db), *credentials(driver)]
		first = run(*command, env=ENVIRONMENT)
		second = run(*command, env=ENVIRONMENT)
		assert simulator.end() == 0

	assert (first.code, second.code) == (0, 0), first.err + second.err
	assert list(first.json) == ["fetched", "new", "duplicates", "quarantined", "errors", "seconds"]
	count = len(in_window)
	assert _counts(first) == {"fetched": count, "new": count, "duplicates": 0, "quarantined": 0}
	assert _counts(second) == {"fetched": count, "new": 0, "duplicates": count, "quarantined": 0}
	assert first.json["errors"] == second.json["errors"] == []

	rows = run("punches", "--db", db, "--json").json
	assert {(row["device_user_id"], datetime.fromisoformat(row["wall_time"])) for row in rows} == in_window
	assert len(rows) == count
	assert [row["occurred_at"] for row in rows] == sorted(row["occurred_at"] for row in rows)
	assert {row["log_type"] for row in rows} == {"IN", "OUT", None}
	assert all(row["reason"] for row in rows)
	assert all(row["occurred_at"] == f"{row['wall_time']}+04:00" for row in rows)


def _counts(done: Finished) -> dict[str, int]:
	return {key: done.json[key] for key in ("fetched", "new", "duplicates", "quarantined")}


def test_pull_speaks_to_people_too(tmp_path: Path) -> None:
	with zkteco.ZktecoTerminal(workshop()) as terminal:
		command = pull_arguments(ZKTECO, terminal.port, tmp_path / "punches.db")
		command.remove("--json")
		done = run(*command, *credentials(ZKTECO))

	assert done.code == 0
	assert re.match(r"\d+ punches fetched: \d+ new, 0 held already, 0 whose time must be looked at", done.out)


def test_pull_of_one_day_only(tmp_path: Path) -> None:
	"""Both days of the window belong to it, in the terminal's own time."""
	with hikvision.HikvisionTerminal(gate()) as terminal:
		expected = {
			(user_id, wall_time.isoformat())
			for user_id, wall_time in terminal.state.expected()
			if wall_time.date() == LAST_DAY
		}
		command = pull_arguments(HIKVISION, terminal.port, tmp_path / "punches.db")
		command[command.index("--from") + 1] = LAST_DAY.isoformat()
		assert run(*command, *credentials(HIKVISION), env=ENVIRONMENT).code == 0

	rows = run("punches", "--db", tmp_path / "punches.db", "--json").json
	assert {(row["device_user_id"], row["wall_time"]) for row in rows} == expected


@pytest.mark.parametrize(
	("simulator", "faults"),
	[
		("hikvision", hikvision.FAULTS),
		("zkteco", zkteco.FAULTS),
		("adms", adms_terminal.FAULTS),
		("frappe", frappe_site.FAULTS),
	],
)
def test_simulate_lists_its_faults(simulator: str, faults: dict[str, str]) -> None:
	done = run("simulate", simulator, "--help")

	assert done.code == 0
	assert len(faults) > 5
	for name, text in faults.items():
		assert f"{name}: {text}" in done.words


TOLD_TO_END_AT_ONCE = """
import os, signal, sys
from attendance_bridge.cli import simulate
from attendance_bridge.cli.entry import main

simulate._announce = lambda what: os.kill(os.getpid(), signal.SIGTERM)
sys.argv = ["attendance-bridge", "simulate", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("simulator", ["hikvision", "adms"])
def test_what_says_how_it_is_ended_can_be_ended_so(simulator: str) -> None:
	command = [
		sys.executable,
		"-c",
		TOLD_TO_END_AT_ONCE,
		simulator,
		"--port",
		"0",
		"--people",
		"1",
		"--days",
		"1",
	]
	done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
	assert (done.returncode, done.stderr) == (0, "")


def test_simulated_terminals_push_to_a_server_until_they_are_ended(tmp_path: Path) -> None:
	with Desk() as desk:
		command = ["simulate", "adms", "--port", desk.port, "--terminals", "3", "--dialect", "both"]
		more = ["--people", "5", "--days", "1", "--punch-every", "0.05", "--pace", "0.01"]
		with Running(*command, *more, log=tmp_path / "adms.log") as running:
			desk.wait_for("cdata", 8, timeout=60, table="rtlog")
			desk.wait_for("cdata", 8, timeout=60, table="ATTLOG")
			assert running.end() == 0
		assert "SIMADMS00001 to SIMADMS00003" in running.printed
		assert "punches acknowledged; answers:" in running.printed


# the agent


class Plant:
	"""Two terminals, a list of people, and an agent with a local ledger."""

	def __init__(self, folder: Path) -> None:
		self.folder = folder
		self.gate, self.workshop = gate(), workshop()
		self.db = folder / "agent.db"
		self.config = folder / "agent.toml"
		self.people = folder / "people.csv"

	def list_people(self, *, without: str = "") -> None:
		with self.people.open("w", encoding="utf-8", newline="") as file:
			writer = csv.writer(file)
			writer.writerow(("employee", "attendance_device_id"))
			writer.writerows(
				(worker.employee, worker.device_user_id)
				for worker in factory().workers
				if worker.employee != without
			)

	@contextmanager
	def open(self) -> Iterator[None]:
		self.list_people()
		with ExitStack() as stack:
			gate_terminal = stack.enter_context(hikvision.HikvisionTerminal(self.gate))
			workshop_terminal = stack.enter_context(zkteco.ZktecoTerminal(self.workshop))
			toml.write(
				self.config,
				{
					"agent": {"name": "North plant", "database": str(self.db), "people_minutes": 0.1},
					"web": {"port": 0},
					"upstream": {"kind": "local_ledger", "people_file": str(self.people)},
				},
				[gate_table(gate_terminal.port), workshop_table(workshop_terminal.port)],
			)
			yield

	@contextmanager
	def agent(self, program: Path | None = None) -> Iterator[tuple[Running, str]]:
		"""The running agent, and the address of its page."""
		command = ("edge", "run", "--config", self.config)
		log = self.folder / "agent.log"
		with Running(*command, log=log, env=ENVIRONMENT, program=program) as agent:
			line = agent.wait_for("http://")
			assert line.startswith("North plant: ")
			yield agent, line.removeprefix("North plant: ").rstrip("/")

	def outbox(self, *arguments: object) -> list[dict[str, Any]]:
		rows: list[dict[str, Any]] = run("outbox", "list", "--db", self.db, "--json", *arguments).json
		return rows

	def totals(self, address: str) -> dict[str, int]:
		"""What the board counts."""
		return {each["label"]: each["count"] for each in _get_json(f"{address}/api/v1/board")["totals"]}

	def wait_until_settled(self, address: str) -> None:
		"""Until every punch is held, and is a check-in or explained."""
		total = self.gate.punches_held() + self.workshop.punches_held()

		def settled() -> bool:
			totals = self.totals(address)
			return totals["punches"] == total and totals["waiting"] == 0

		wait_until(settled, "the agent does not come to the end of its work", every=EVERY_PAGE)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
	plant = Plant(tmp_path)
	with plant.open():
		yield plant


def _get(url: str) -> str:
	with urllib.request.urlopen(url, timeout=10) as response:
		assert response.status == 200
		return str(response.read().decode())


def _get_json(url: str) -> Any:
	return json.loads(_get(url))


def test_edge_check_finds_everything_well(plant: Plant) -> None:
	done = run("edge", "check", "--config", plant.config, env=ENVIRONMENT)

	assert done.code == 0, done.words
	lines = done.out.splitlines()
	assert len(lines) == 5
	assert all(line.startswith("ok ") for line in lines)
	for part in ("configuration: 2 devices", "database", "upstream Local ledger", "Gate", "Workshop"):
		assert part in done.out
	assert plant.gate.serial in done.out
	assert plant.workshop.serial in done.out


def test_edge_check_names_what_is_wrong(plant: Plant) -> None:
	plant.workshop.comm_key = COMM_KEY + 1
	done = run("edge", "check", "--config", plant.config, env=ENVIRONMENT)

	assert done.code == 3
	(wrong,) = [line for line in done.out.splitlines() if not line.startswith("ok ")]
	assert wrong.startswith("WRONG   Workshop: ")
	assert "key" in wrong
	assert "refused" in wrong


def test_edge_run_shows_itself(plant: Plant) -> None:
	with plant.agent(PROGRAM) as (agent, address):
		plant.wait_until_settled(address)

		health = _get_json(f"{address}/healthz")
		assert health["ok"] is True
		duties = ("poller", "uploader", "listener", "web")
		assert health["workers"] == dict.fromkeys(duties, "running")

		metrics = _get(f"{address}/metrics")
		for line in (
			'attendance_bridge_outbox{kind="waiting"} 0.0',
			"attendance_bridge_upstream_up 1.0",
			f'attendance_bridge_device_up{{device="Gate",serial="{plant.gate.serial}"}} 1.0',
			'attendance_bridge_worker_running{worker="poller"} 1.0',
		):
			assert line in metrics

		page = _get(f"{address}/")
		assert "<title>North plant" in page
		board = _get_json(f"{address}/api/v1/board")
		assert [(device["name"], device["state"]) for device in board["devices"]] == [
			("Gate", "online"),
			("Workshop", "online"),
		]
		assert board["checkins"]
		assert agent.end() == 0

	assert PASSWORD not in agent.printed
	assert str(COMM_KEY) not in agent.printed
	assert "Traceback" not in agent.printed


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_edge_run_ends_when_asked(plant: Plant, signal_number: int) -> None:
	with plant.agent() as (agent, _address):
		asked_at = datetime.now(ZONE)
		assert agent.end(signal_number) == 0
		assert datetime.now(ZONE) - asked_at < timedelta(seconds=5)
		assert "Traceback" not in agent.printed


def test_edge_run_ends_soon_beside_a_slow_site(tmp_path: Path) -> None:
	"""What is under way is waited for, the rest of the batch is not."""
	site = frappe_site.SiteState.from_workforce(factory(), time_zone=ZONE.key, service_seconds=0.4)
	with zkteco.ZktecoTerminal(workshop()) as terminal, frappe_site.FrappeSite(site) as service:
		config = toml.write(
			tmp_path / "agent.toml",
			{
				"agent": {"database": str(tmp_path / "agent.db")},
				"web": {"enabled": False},
				"upstream": {
					"kind": "erpnext_rest",
					"url": service.url,
					"api_key_env": "SITE_KEY",
					"api_secret_env": "SITE_SECRET",
					"timezone": ZONE.key,
				},
			},
			[workshop_table(terminal.port)],
		)
		secrets = {"SITE_KEY": site.api_key, "SITE_SECRET": site.api_secret}
		env = {**ENVIRONMENT, **secrets}
		with Running("edge", "run", "--config", config, log=tmp_path / "agent.log", env=env) as agent:
			wait_until(lambda: site.counters["posts"] >= 6, "nothing is sent")
			asked_at = datetime.now(ZONE)
			assert agent.end() == 0
			assert datetime.now(ZONE) - asked_at < timedelta(seconds=5)

		waiting = run("outbox", "list", "--db", tmp_path / "agent.db", "--state", "pending", "--json").json
		assert len(waiting) > 20, "there was no batch to leave"
		# Everything that the site took is known to be there: nothing is in doubt after an end in order.
		held = run("punches", "--db", tmp_path / "agent.db", "--json").json
		assert sum(row["state"] == "checked_in" for row in held) == len(site.checkins)


def test_outbox_shows_what_waits_for_a_person_and_sets_it_going(plant: Plant) -> None:
	newcomer = factory().workers[3]
	plant.list_people(without=newcomer.employee)
	with plant.agent() as (agent, address):
		plant.wait_until_settled(address)
		waiting = plant.outbox()
		assert {row["state"] for row in waiting} == {"unmapped", "quarantined"}
		unmapped = plant.outbox("--state", "unmapped")
		assert unmapped == [row for row in waiting if row["state"] == "unmapped"]
		quarantined = [row for row in waiting if row["state"] == "quarantined"]
		assert {row["reason"] for row in unmapped} == {"no_such_id"}
		assert {row["reason"] for row in quarantined} == {"in_the_future", "before_time"}
		assert {row["wall_time"][:4] for row in quarantined} == {"2000", "2099"}
		assert len(plant.outbox("--limit", 1)) == 2, "one of each state"

		theirs = [row for row in unmapped if row["device_user_id"] == newcomer.device_user_id]
		assert theirs

		released = next(row for row in quarantined if row["wall_time"].startswith("2099"))
		done = run(
			"outbox", "retry", "--db", plant.db, "--state", "quarantined", "--punch-id", released["punch_id"]
		)
		assert (done.code, done.out.split()[0]) == (0, "1")

		# Hired at last: the list is read again every few seconds, and past punches find their person.
		plant.list_people()
		left = len(unmapped) - len(theirs)
		wait_until(
			lambda: plant.totals(address)["unmapped"] == left,
			"their punches stay unmapped",
			every=EVERY_PAGE,
		)
		plant.wait_until_settled(address)
		assert agent.end() == 0

	by_id = {row["punch_id"]: row for row in run("punches", "--db", plant.db, "--json").json}
	assert by_id[released["punch_id"]]["state"] == "checked_in"
	assert {by_id[row["punch_id"]]["state"] for row in theirs} <= {"checked_in", "duplicate"}
	assert {by_id[row["punch_id"]]["employee"] for row in theirs} == {newcomer.employee}
