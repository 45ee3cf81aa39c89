"""Whatever goes wrong, the user reads one sentence that says what to do, and nothing that was read is lost.

The sentence stands on standard error; no traceback and no secret does. The exit code is the documented one:
2 configuration or usage, 3 terminal, 4 site, 5 database.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.simulators import frappe_site, hikvision, zkteco
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs
from tests.acceptance import toml
from tests.acceptance.command import Finished, Running, run, wait_until
from tests.acceptance.terminals import (
	COMM_KEY,
	ENVIRONMENT,
	HIKVISION,
	PASSWORD,
	ZKTECO,
	ZONE,
	credentials,
	gate,
	gate_table,
	pull_arguments,
	workshop,
	workshop_table,
)

CONFIGURATION, TERMINAL, SITE, DATABASE = 2, 3, 4, 5
WRONG_PASSWORD, WRONG_COMM_KEY = "Wrong-Guess-88", 880088
SECRETS = (PASSWORD, str(COMM_KEY), WRONG_PASSWORD, str(WRONG_COMM_KEY))


def assert_refused(done: Finished, code: int, *words: str) -> None:
	"""The command failed as it should: `words` stand in what the user reads on standard error."""
	printed = done.out + done.err
	assert "Traceback" not in printed, printed
	assert not [secret for secret in SECRETS if secret in printed], printed
	assert done.code == code, printed
	sentence = " ".join(done.err.split("Error: ", 1)[-1].split())
	assert not [word for word in words if word not in sentence], sentence


# terminals


class Terminals:
	"""What the two families have in common for these tests."""

	def __init__(self, driver: str, folder: Path) -> None:
		self.driver = driver
		self.db = folder / "punches.db"
		self.state: Any = gate() if driver == HIKVISION else workshop()

	@contextmanager
	def open(self) -> Iterator[int]:
		kind: Any = hikvision.HikvisionTerminal if self.driver == HIKVISION else zkteco.ZktecoTerminal
		with kind(self.state) as terminal:
			yield terminal.port

	def pull(self, port: int) -> Finished:
		return run(*pull_arguments(self.driver, port, self.db), *credentials(self.driver), env=ENVIRONMENT)

	def pull_with_wrong_credentials(self, port: int) -> Finished:
		command = pull_arguments(self.driver, port, self.db)
		if self.driver == ZKTECO:
			return run(*command, "--comm-key", WRONG_COMM_KEY)
		env = {"GATE_PASSWORD": WRONG_PASSWORD}
		return run(*command, *credentials(HIKVISION), env=env)

	def wrong_attempts(self) -> int:
		if self.driver == HIKVISION:
			return int(self.state.counters.wrong_passwords)
		return int(self.state.counters["wrong_comm_key"])

	def set_fault(self, fault: str, *, on: bool = True) -> None:
		if self.driver == HIKVISION:
			hikvision_verbs.set_fault(self.state, fault, on=on)
		elif on:
			zkteco_verbs.set_fault(self.state, fault)
		else:
			zkteco_verbs.clear_fault(self.state, fault)

	def expected(self) -> set[tuple[str, str]]:
		"""(id, wall time) of what lies in the days that are asked for."""
		return {
			(user_id, wall_time.isoformat())
			for user_id, wall_time in self.state.expected()
			if wall_time.year == 2026
		}

	def held(self) -> set[tuple[str, str]]:
		rows = run("punches", "--db", self.db, "--json").json
		return {(row["device_user_id"], row["wall_time"]) for row in rows}


@pytest.fixture(params=[HIKVISION, ZKTECO])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Terminals:
	return Terminals(request.param, tmp_path)


def assert_spoken_and_counted(done: Finished, code: str) -> None:
	"""With --json, the result names the error too, beside its figures."""
	(error,) = done.json["errors"]
	assert error["code"] == code
	assert error["message"] in done.err


def test_wrong_credentials_are_tried_once(terminal: Terminals) -> None:
	with terminal.open() as port:
		assert terminal.pull(port).code == 0
		before = terminal.held()
		done = terminal.pull_with_wrong_credentials(port)

	assert_refused(done, TERMINAL, "127.0.0.1", "refused", "password", "key", "Correct")
	assert_spoken_and_counted(done, "auth_failed")
	assert terminal.wrong_attempts() == 1, "terminals lock accounts"
	assert terminal.held() == before == terminal.expected()


def test_nobody_is_at_the_address(terminal: Terminals) -> None:
	with socket.create_server(("127.0.0.1", 0)) as server:
		port = server.getsockname()[1]
	done = terminal.pull(port)

	assert_refused(done, TERMINAL, f"127.0.0.1:{port}", "Nothing answers", "address", "port", "network")
	assert_spoken_and_counted(done, "unreachable")


def test_a_terminal_that_talks_garbage(terminal: Terminals) -> None:
	terminal.set_fault("garbage")
	with terminal.open() as port:
		done = terminal.pull(port)
		assert_refused(done, TERMINAL, "127.0.0.1", "driver", "port")
		assert_spoken_and_counted(done, "garbage")
		terminal.set_fault("garbage", on=False)
		assert terminal.pull(port).code == 0
	assert terminal.held() == terminal.expected()


@contextmanager
def noise(answer: bytes) -> Iterator[int]:
	"""A server that answers whatever it is told with the same bytes and goes away."""

	def serve(listener: socket.socket) -> None:
		while True:
			try:
				connection, _address = listener.accept()
			except OSError:
				return
			with connection:
				connection.settimeout(5)
				connection.recv(65_536)
				connection.sendall(answer)

	with socket.create_server(("127.0.0.1", 0)) as listener:
		thread = threading.Thread(target=serve, args=(listener,))
		thread.start()
		try:
			yield listener.getsockname()[1]
		finally:
			listener.shutdown(socket.SHUT_RDWR)
			thread.join()


@pytest.mark.parametrize(
	"answer", [b"SSH-2.0-OpenSSH_9.2\r\n", bytes(range(256)) * 4], ids=["another-service", "noise"]
)
def test_another_service_at_the_port(terminal: Terminals, answer: bytes) -> None:
	with noise(answer) as port:
		assert_refused(terminal.pull(port), TERMINAL, "127.0.0.1", "driver", "port")


def test_a_connection_that_breaks_off(terminal: Terminals) -> None:
	"""What came before the break is kept; the next pull brings the rest."""
	terminal.set_fault("half-closed")
	with terminal.open() as port:
		done = terminal.pull(port)
		assert_refused(done, TERMINAL, "127.0.0.1", "closed the connection")
		assert_spoken_and_counted(done, "connection_lost")
		kept = terminal.held()
		assert len(kept) == done.json["new"] < len(terminal.expected())
		terminal.set_fault("half-closed", on=False)
		again = terminal.pull(port)

	assert again.code == 0
	assert again.json["duplicates"] == len(kept)
	assert terminal.held() == terminal.expected()


def test_one_bad_row_costs_only_itself(terminal: Terminals) -> None:
	terminal.set_fault("bad-date-row")
	with terminal.open() as port:
		done = terminal.pull(port)

	assert done.code == 0, done.err
	assert done.json["errors"] == []
	assert done.json["quarantined"] >= 1, "a record that cannot be read is pointed out"
	# An id that came as a number instead of a text can be read all the same.
	assert terminal.held() - terminal.expected() <= {("4242", max(time for _id, time in terminal.held()))}
	assert terminal.expected() <= terminal.held()


@pytest.mark.parametrize(
	("arguments", "words"),
	[
		(("--from", "2026-03-32"), ("--from", "2026-03-32", "no day")),
		(("--from", "2026-03-13"), ("--to", "before the first")),
		(("--to", "9999-12-31"), ("--to", "between 1970 and 2199")),
		(("--from", "0001-01-01"), ("--from", "between 1970 and 2199")),
		(("--timezone", "Asia/Atlantis"), ("--timezone", "Asia/Atlantis", "Asia/Dubai")),
		(("--host", "http://127.0.0.1/"), ("host", "without http://")),
		(("--driver", "zkteco"), ("--driver", "zkteco_tcp", "hikvision_isapi")),
		(("--user", "somebody"), ("user",)),
	],
	ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_pull_is_asked_for_nonsense(tmp_path: Path, arguments: tuple[str, str], words: tuple[str]) -> None:
	done = run(*pull_arguments(ZKTECO, 4370, tmp_path / "punches.db"), *arguments)
	assert_refused(done, CONFIGURATION, *words)


# configuration

AGENT = "[agent]\ndatabase = 'agent.db'\n"
GATE = (
	"[[devices]]\nname = 'Gate'\ndriver = 'hikvision_isapi'\nhost = '192.0.2.1'\n"
	"timezone = 'Asia/Dubai'\nuser = 'admin'\n"
)
WORKSHOP = (
	"[[devices]]\nname = 'Workshop'\ndriver = 'zkteco_tcp'\nhost = '192.0.2.2'\ntimezone = 'Asia/Dubai'\n"
)
SITE_TABLE = (
	"[upstream]\nkind = 'erpnext_rest'\nurl = 'https://erp.example.com'\n"
	"api_key_env = 'GATE_PASSWORD'\napi_secret_env = 'GATE_PASSWORD'\ntimezone = 'Asia/Dubai'\n"
)

BAD_CONFIGURATIONS = {
	"not-toml": ("agent = = 3", ("agent.toml", "not TOML", "line 1")),
	"unknown-table": ("[agnet]\n", ("no option agnet", "agent", "devices", "upstream")),
	"unknown-key": ("[agent]\ndatabse = 'x'\n", ("no option agent.databse", "database")),
	"unknown-key-of-a-device": (GATE + "colour = 'red'\n", ("devices[0].colour", "password_env")),
	"no-table": ("agent = 3\n", ("agent", "must be a table")),
	"bad-log-level": ("[agent]\nlog_level = 'loud'\n", ("agent.log_level", "debug", "warning")),
	"bad-time-zone": (
		WORKSHOP.replace("Asia/Dubai", "Asia/Dubay"),
		("devices[0].timezone", "time zone name", "Asia/Dubai"),
	),
	"bad-time-zone-of-the-site": (
		SITE_TABLE.replace("Asia/Dubai", "UTC+4"),
		("upstream.timezone", "time zone name"),
	),
	"no-time-zone": (WORKSHOP.replace("timezone", "#"), ("devices[0].timezone", "missing")),
	"unknown-driver": (WORKSHOP.replace("zkteco_tcp", "zk"), ("devices[0].driver", "zkteco_tcp")),
	"unknown-upstream": ("[upstream]\nkind = 'sap'\n", ("upstream.kind", "erpnext_rest", "local_ledger")),
	"text-for-a-number": (WORKSHOP + "port = '4370'\n", ("devices[0].port", "whole number")),
	"out-of-range": (WORKSHOP + "poll_seconds = 0\n", ("devices[0].poll_seconds", "from 1 to")),
	"address-for-a-host": (
		WORKSHOP.replace("192.0.2.2", "http://192.0.2.2"),
		("devices[0].host", "without http://"),
	),
	"name-given-twice": (WORKSHOP + WORKSHOP, ("devices[1].name", "no other device has")),
	"no-secret": (GATE, ("devices[0].password_env", "missing")),
	"missing-variable": (
		GATE + "password_env = 'NOT_SET'\n",
		("devices[0].password_env", "environment variable NOT_SET", "missing"),
	),
	"missing-secret-file": (
		GATE + "password_file = 'secrets/gate'\n",
		("devices[0].password_file", "file secrets/gate", "missing"),
	),
	"inline-password": (
		GATE + f"password = '{PASSWORD}'\n",
		("devices[0].password", "no secret in this file", "password_env", "password_file"),
	),
	"inline-comm-key": (
		WORKSHOP + f"comm_key = {COMM_KEY}\n",
		("devices[0].comm_key", "no secret in this file", "comm_key_env"),
	),
	"comm-key-of-letters": (WORKSHOP + "comm_key_env = 'GATE_PASSWORD'\n", ("devices[0]", "comm key")),
	"unencrypted-token": (
		SITE_TABLE.replace("https", "http"),
		("upstream", "https://", "allow_http"),
	),
	"token-in-the-address": (
		SITE_TABLE.replace("erp.", f"admin:{PASSWORD}@erp."),
		("upstream.url", "without user and password"),
	),
	"no-list-of-people": (
		"[upstream]\nkind = 'local_ledger'\npeople_file = 'people.csv'\n",
		("people.csv", "cannot be read"),
	),
	"page-for-everybody": (
		"[web]\nhost = '0.0.0.0'\n",
		("web.host", "loopback", "127.0.0.1", "edge tls"),
	),
}


@pytest.mark.parametrize(("text", "words"), BAD_CONFIGURATIONS.values(), ids=BAD_CONFIGURATIONS)
def test_configuration_is_refused(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
	(tmp_path / "agent.toml").write_text(text, encoding="utf-8")
	done = run("edge", "run", "--config", "agent.toml", env=ENVIRONMENT, cwd=tmp_path)

	assert_refused(done, CONFIGURATION, *words)
	assert done.out == ""
	assert done.err.startswith("Error: ")
	assert done.err.count("\n") == 1


def _not_there(path: Path) -> None:
	assert not path.exists()


def _is_a_folder(path: Path) -> None:
	path.mkdir()


def _is_no_text(path: Path) -> None:
	path.write_bytes(b"\xff\xfe[\x00a\x00")


def _is_endless(path: Path) -> None:
	path.write_bytes(b"#" * 1_000_001)


def _is_not_ours(path: Path) -> None:
	path.write_text("", encoding="utf-8")
	path.chmod(0)


@pytest.mark.parametrize(
	("make", "words"),
	[
		pytest.param(_not_there, ("cannot be read", "No such file"), id="not-there"),
		pytest.param(_is_a_folder, ("directory",), id="folder"),
		pytest.param(_is_no_text, ("cannot be read",), id="no-text"),
		pytest.param(_is_endless, ("cannot be read", "1 MB"), id="endless"),
		pytest.param(
			_is_not_ours,
			("cannot be read", "Permission denied"),
			id="not-ours",
			marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything"),
		),
	],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_configuration_file_cannot_be_read(
	tmp_path: Path, make: Callable[[Path], None], words: tuple[str, ...], command: str
) -> None:
	make(tmp_path / "agent.toml")
	done = run("edge", command, "--config", tmp_path / "agent.toml", cwd=tmp_path)
	assert_refused(done, CONFIGURATION, "agent.toml", *words)


def test_the_port_of_the_page_is_taken(tmp_path: Path) -> None:
	with socket.create_server(("127.0.0.1", 0)) as server:
		port = server.getsockname()[1]
		config = toml.write(
			tmp_path / "agent.toml",
			{"agent": {"database": str(tmp_path / "agent.db")}, "web": {"port": port}},
		)
		done = run("edge", "run", "--config", config)
	assert_refused(done, CONFIGURATION, "web.port", str(port), "free port", "in use")


# the database


def _missing_folder(folder: Path) -> Path:
	return folder / "nowhere" / "agent.db"


def _folder(folder: Path) -> Path:
	path = folder / "agent.db"
	path.mkdir()
	return path


def _text(folder: Path) -> Path:
	path = folder / "agent.db"
	path.write_text("Name;Date\nA person;2026-03-12\n" * 100, encoding="utf-8")
	return path


def _foreign(folder: Path) -> Path:
	path = folder / "agent.db"
	with sqlite3.connect(path) as connection:
		connection.execute("CREATE TABLE invoice (number INTEGER)")
		connection.execute("INSERT INTO invoice VALUES (1)")
	connection.close()
	return path


def _held(folder: Path) -> Path:
	"""A database of ours with some hundred punches."""
	terminal = Terminals(ZKTECO, folder)
	with terminal.open() as port:
		assert terminal.pull(port).code == 0
	return terminal.db


def _damaged(folder: Path) -> Path:
	path = _held(folder)
	with path.open("r+b") as file:
		size = file.seek(0, os.SEEK_END)
		# From the second page on: the header alone would still look well.
		file.seek(4096)
		file.write(b"\xa5" * (size - 4096))
	return path


def _too_new(folder: Path) -> Path:
	path = _held(folder)
	with sqlite3.connect(path) as connection:
		connection.execute("PRAGMA user_version = 1000")
	connection.close()
	return path


@pytest.mark.parametrize(
	("make", "words"),
	[
		pytest.param(_missing_folder, ("agent.db", "folder exists"), id="missing-folder"),
		pytest.param(_folder, ("agent.db",), id="folder"),
		pytest.param(_text, ("agent.db", "another kind of file"), id="text"),
		pytest.param(_foreign, ("agent.db", "another"), id="another-program"),
		pytest.param(_damaged, ("punches.db", "damaged", "move the file aside"), id="damaged"),
		pytest.param(_too_new, ("punches.db", "later version"), id="later-version"),
	],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_database_cannot_be_used(
	tmp_path: Path, make: Callable[[Path], Path], words: tuple[str, ...], command: str
) -> None:
	path = make(tmp_path)
	before = path.read_bytes() if path.is_file() else None
	config = toml.write(
		tmp_path / "agent.toml", {"agent": {"database": str(path)}, "web": {"enabled": False}}
	)
	done = run("edge", command, "--config", config)

	if command == "check":  # a report: what is wrong stands among what is right
		done = Finished(code=done.code, out="", err=done.out + done.err)
	assert_refused(done, DATABASE, *words)
	assert (path.read_bytes() if path.is_file() else None) == before, "the file is left as it is"


@pytest.mark.parametrize("command", [("punches",), ("outbox", "list")], ids=" ".join)
def test_there_is_no_such_database(tmp_path: Path, command: tuple[str, ...]) -> None:
	done = run(*command, "--db", tmp_path / "nothing.db")
	assert_refused(done, CONFIGURATION, "nothing.db", "does not exist")
	assert not list(tmp_path.iterdir()), "a look must not make a file"


# the site


@contextmanager
def agent_of(state: frappe_site.SiteState, folder: Path, **changes: toml.Value) -> Iterator[Path]:
	"""A configuration with that site and no terminal."""
	with frappe_site.FrappeSite(state) as site:
		upstream: dict[str, toml.Value] = {
			"kind": "erpnext_rest",
			"url": site.url,
			"api_key_env": "SITE_KEY",
			"api_secret_env": "SITE_SECRET",
			"timezone": ZONE.key,
		}
		tables: dict[str, toml.Table] = {
			"agent": {"database": str(folder / "agent.db")},
			"web": {"enabled": False},
			"upstream": {**upstream, **changes},
		}
		yield toml.write(folder / "agent.toml", tables)


@pytest.mark.parametrize(
	("faults", "changes", "words"),
	[
		pytest.param(set(), {"timezone": "Europe/Berlin"}, ("timezone", "time zone"), id="another-time-zone"),
		pytest.param(set(), {"url": "http://127.0.0.1:1"}, ("127.0.0.1:1", "Nothing answers"), id="nobody"),
		pytest.param({"token-expired"}, {}, ("refused", "token", "Correct"), id="token-refused"),
		pytest.param({"no-permission"}, {}, ("Employee",), id="no-permission"),
		pytest.param({"geolocation"}, {}, ("HR Settings", "geolocation"), id="geolocation"),
		pytest.param({"html"}, {}, ("not the expected protocol",), id="login-portal"),
		pytest.param({"maintenance"}, {}, ("goes on by itself",), id="maintenance"),
	],
)
def test_edge_check_explains_what_keeps_the_site_from_taking_check_ins(
	tmp_path: Path, faults: set[str], changes: dict[str, toml.Value], words: tuple[str, ...]
) -> None:
	state = frappe_site.SiteState(time_zone=ZONE.key, faults=faults, fault_every=1)
	env = {"SITE_KEY": state.api_key, "SITE_SECRET": state.api_secret}
	with agent_of(state, tmp_path, **changes) as config:
		done = run("edge", "check", "--config", config, env=env)

	assert state.api_secret not in done.out + done.err
	(line,) = [line for line in done.out.splitlines() if not line.startswith("ok ")]
	assert line.startswith("WRONG   upstream")
	assert_refused(Finished(code=done.code, out="", err=line), SITE, *words)


# held and explained


def test_impossible_dates_are_held_and_everybody_else_goes_on(tmp_path: Path) -> None:
	"""2000: the terminal's battery was empty. 2099: nobody knows."""
	states = (gate(), workshop())
	db = tmp_path / "agent.db"
	with hikvision.HikvisionTerminal(states[0]) as first, zkteco.ZktecoTerminal(states[1]) as second:
		config = toml.write(
			tmp_path / "agent.toml",
			{"agent": {"database": str(db)}, "web": {"enabled": False}},
			[gate_table(first.port), workshop_table(second.port)],
		)
		total = sum(state.punches_held() for state in states)
		with Running("edge", "run", "--config", config, log=tmp_path / "log", env=ENVIRONMENT) as agent:
			wait_until(lambda: _delivered(db) == total, "the agent does not come to the end of its work")
			assert agent.end() == 0

	waiting = run("outbox", "list", "--db", db, "--json").json
	assert {row["reason"] for row in waiting} == {"in_the_future", "before_time"}
	impossible = {key for state in states for key in state.expected() if key[1].year in (2000, 2099)}
	assert {(row["device_user_id"], row["wall_time"]) for row in waiting} == {
		(user_id, wall_time.isoformat()) for user_id, wall_time in impossible
	}
	spoken = run("outbox", "list", "--db", db)
	assert "a time that has not come yet" in spoken.out
	assert "its clock had been reset" in spoken.out


def _delivered(db: Path) -> int:
	"""Punches that are held and wait for nothing but a person."""
	if not db.exists() or not db.stat().st_size:
		return 0
	rows = run("punches", "--db", db, "--json").json
	return sum(row["state"] not in ("received", "pending") for row in rows)
