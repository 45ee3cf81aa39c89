"""`edge init` against real sites, terminals and a camera on loopback: what it tells, refuses and writes."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import select
import sqlite3
import stat
import subprocess
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from attendance_bridge.cli.init.command import init
from attendance_bridge.cli.root import run as run_command
from attendance_bridge.core.consent import Consent, ErasureReason
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, StoreError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.secrets import read_secret
from attendance_bridge.edge.settings import DeviceSettings
from attendance_bridge.edge.setup import eyes, spec
from attendance_bridge.edge.setup.configuration_file import lay_out, write_private
from attendance_bridge.simulators import hikvision, workforce
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState
from attendance_bridge.stores import backup
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from tests.acceptance.command import PROGRAM, Running, environment, run, wait_until

ZONE = ZoneInfo("Asia/Dubai")
PASSWORD = "Terminal-77"
NOW = datetime(2026, 3, 12, 8, tzinfo=timezone.utc)


@contextmanager
def a_site(*, has_app: bool = False, terminals: Sequence[RelayedTerminal] = ()) -> Iterator[FrappeSite]:
	state = SiteState(time_zone=ZONE.key)
	bridge = Bridge(site=state, terminals=list(terminals)) if has_app else None
	with FrappeSite(state, bridge=bridge) as site:
		yield site


@contextmanager
def a_terminal() -> Iterator[hikvision.HikvisionTerminal]:
	factory = workforce.build(12, 4, seed=11, last_day=NOW.date())
	state = hikvision.HikvisionState.from_workforce(
		factory, number=1, of=1, zone=ZONE, user="admin", password=PASSWORD
	)
	with hikvision.HikvisionTerminal(state) as terminal:
		yield terminal


class Setup:
	"""The command in a folder of its own."""

	def __init__(self, folder: Path) -> None:
		self.folder = folder
		self.config = folder / "etc" / "edge.toml"
		self.options = ["--as-root", "--no-input", "--config", str(self.config), "--page", "off"]

	def file(self, name: str, content: str) -> str:
		path = self.folder / name
		path.write_text(content + "\n", encoding="utf-8")
		return str(path)

	def of_site(self, site: FrappeSite, secret: str = "") -> list[str]:
		return [
			"--site",
			f"http://127.0.0.1:{site.port}",
			"--site-key-file",
			self.file("key", site.state.api_key),
			"--site-secret-file",
			self.file("secret", secret or site.state.api_secret),
		]

	def of_terminal(self, terminal: hikvision.HikvisionTerminal, password: str = PASSWORD) -> list[str]:
		place = f"driver=hikvision_isapi,name=Main gate,host=127.0.0.1,port={terminal.port},user=admin"
		return ["--terminal", f"{place},password_file={self.file('password', password)}"]

	def run(self, *options: str) -> str:
		"""What it prints when all is well."""
		result = CliRunner().invoke(init, [*self.options, *options])
		assert result.exit_code == 0, result.output
		return result.output

	def fails(self, *options: str) -> BridgeError:
		"""The error that it ends with; nothing was written."""
		result = CliRunner().invoke(init, [*self.options, *options])
		assert isinstance(result.exception, BridgeError), result.output
		assert not self.config.parent.exists()
		return result.exception

	def settings(self) -> edge_settings.Settings:
		return edge_settings.load(self.config)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
	return Setup(tmp_path)


# the site


def test_a_site_with_the_app_is_found_to_be_one(setup: Setup) -> None:
	relayed = RelayedTerminal(
		name="North gate", driver="hikvision_isapi", options={"host": "192.0.2.1"}, time_zone=ZONE.key
	)
	with a_site(has_app=True, terminals=[relayed]) as site:
		printed = setup.run(*setup.of_site(site))
	settings = setup.settings()
	assert settings.upstream.kind == "frappe_bridge"
	assert settings.agent.zone == ZONE  # nobody said it: it is the site's
	assert "North gate" in printed


def test_a_site_without_the_app_tells_its_time_zone(setup: Setup) -> None:
	with a_site() as site:
		setup.run(*setup.of_site(site))
	settings = setup.settings()
	assert settings.upstream.kind == "erpnext_rest"
	assert settings.upstream.config.timezone == ZONE
	assert settings.upstream.config.api_secret.reveal() == SiteState().api_secret


def test_a_wrong_key(setup: Setup) -> None:
	with a_site() as site:
		assert setup.fails(*setup.of_site(site, secret="wrong")).code is Code.AUTH_FAILED


def test_a_wrong_time_zone(setup: Setup) -> None:
	with a_site() as site:
		error = setup.fails(*setup.of_site(site), "--site-timezone", "Europe/Berlin")
	assert error.code is Code.NOT_READY
	assert error.details["problems"] == ("time_zone_differs",)


def test_a_key_that_is_no_agents(setup: Setup) -> None:
	with a_site(has_app=True) as site:
		assert site.bridge is not None
		site.bridge.agent_enabled = False
		error = setup.fails(*setup.of_site(site))
	assert error.details["problems"] == ("not_an_agent",)


def test_nobody_answers(setup: Setup) -> None:
	with a_site() as site:
		options = setup.of_site(site)
	assert setup.fails(*options).code is Code.UNREACHABLE


def test_something_else_answers(setup: Setup) -> None:
	with a_terminal() as terminal, a_site() as site:
		options = setup.of_site(site)
		options[1] = f"http://127.0.0.1:{terminal.port}"
		assert setup.fails(*options).code is Code.NOT_FOUND


def test_what_fails_is_written_down_if_that_is_wanted(setup: Setup) -> None:
	with a_site() as site:
		options = setup.of_site(site)
	given = ("--untested", "--site-kind", "erpnext_rest", "--site-timezone", ZONE.key)
	assert "untested" in setup.run(*options, *given)
	assert setup.settings().upstream.kind == "erpnext_rest"


# terminals, camera, pages


def test_a_terminal_is_asked_who_it_is(setup: Setup) -> None:
	with a_terminal() as terminal:
		printed = setup.run("--local", "--timezone", ZONE.key, *setup.of_terminal(terminal))
		assert terminal.state.serial in printed
	[device] = setup.settings().devices
	assert device.settings.timezone == ZONE
	assert device.config.password.reveal() == PASSWORD


def test_a_terminals_wrong_password(setup: Setup) -> None:
	with a_terminal() as terminal:
		error = setup.fails("--local", *setup.of_terminal(terminal, "wrong"))
	assert error.code is Code.AUTH_FAILED


def test_a_clock_far_from_ours_is_told(setup: Setup) -> None:
	with a_terminal() as terminal:
		printed = setup.run("--local", "--timezone", "UTC", *setup.of_terminal(terminal))
	assert "240 min fast" in printed
	assert "held back" in printed


def test_a_camera_with_its_networks_and_its_key(setup: Setup) -> None:
	printed = setup.run("--local", "--timezone", "UTC", "--camera", "kind=simulated", "--pack", "tiny")
	assert "640×480" in printed
	assert "The networks run" in printed
	vision = setup.settings().vision
	assert vision is not None
	key = vision.gallery.key_file
	assert key is not None
	assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_camera_that_is_not_there(setup: Setup) -> None:
	error = setup.fails("--local", "--camera", "kind=v4l2,device=/dev/video99", "--pack", "tiny")
	assert error.code is Code.CAMERA_NOT_THERE


def test_a_key_beside_the_database_is_refused(setup: Setup) -> None:
	error = setup.fails(
		"--local", "--camera", "kind=simulated", "--pack", "tiny",
		"--database", str(setup.config.parent / "edge.db"),
	)  # fmt: skip
	assert error.code is Code.GALLERY_KEY_BESIDE_DATABASE


def test_pages_for_the_lan(setup: Setup) -> None:
	password = setup.file("account", "a few good words")
	account = ("--account", "chief", "--account-password-file", password)
	setup.options[-2:] = ["--page", "lan", "--page-name", "door.local"]
	printed = setup.run("--local", *account, "--page-port", "18391")
	web = setup.settings().web
	assert not web.is_loopback
	assert web.tls_key is not None
	assert stat.S_IMODE(web.tls_key.stat().st_mode) == 0o600
	assert "SHA-256" in printed
	with Database.open(setup.settings().agent.database) as database:
		assert [(each.name, each.role) for each in Accounts(database).all()] == [("chief", "admin")]


# what is written


def test_no_secret_in_the_file_and_all_of_it_private(setup: Setup) -> None:
	with a_site() as site, a_terminal() as terminal:
		printed = setup.run(*setup.of_site(site), *setup.of_terminal(terminal))
		secrets = [PASSWORD, site.state.api_key, site.state.api_secret]
	text = setup.config.read_text(encoding="utf-8")
	for secret in secrets:
		assert secret not in text
		assert secret not in printed
	for path in setup.config.parent.rglob("*"):
		assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_nothing_is_overwritten_without_being_told_so(setup: Setup) -> None:
	setup.run("--local", "--name", "First")
	before = setup.config.read_bytes()
	result = CliRunner().invoke(init, [*setup.options, "--local", "--name", "Second"])
	assert result.exit_code == 2
	assert "--overwrite" in result.output
	assert setup.config.read_bytes() == before
	setup.run("--local", "--name", "Second", "--overwrite")
	assert setup.settings().agent.name == "Second"
	assert setup.config.with_name("edge.toml.before").read_bytes() == before


@pytest.mark.parametrize(
	("given", "named"),
	[
		((), "--site"),
		(("--site", "SITE"), "--site-key-file"),
		(("--local", "--camera", "kind=simulated"), "--pack"),
		(("--local", "--page", "lan"), "--account"),
	],
)
def test_what_is_missing_is_named(setup: Setup, given: tuple[str, ...], named: str) -> None:
	with a_site() as site:
		here = [each.replace("SITE", f"http://127.0.0.1:{site.port}") for each in given]
		result = CliRunner().invoke(init, [*setup.options, *here])
	assert result.exit_code == 2
	assert f"Missing option {named}" in " ".join(result.output.split())
	assert not setup.config.parent.exists()


def test_root_is_told_to_be_somebody_else(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(os, "geteuid", lambda: 0)
	result = CliRunner().invoke(init, [*setup.options[1:], "--local"])
	assert result.exit_code == 2
	assert "sudo -u attendance-bridge" in result.output


def test_hostile_text_stays_text(tmp_path: Path) -> None:
	name = 'a "b" \\ \n[web]\nport = 1 \x7f é'
	laid = lay_out(tmp_path / "edge.toml", tmp_path / "s", {"agent": {"name": name, "workers": 3}})
	write_private(tmp_path / "edge.toml", laid.text)
	settings = edge_settings.load(tmp_path / "edge.toml")
	assert settings.agent.name == name
	assert settings.web.port == 8377


def test_secrets_of_two_tables_never_share_a_file(tmp_path: Path) -> None:
	devices = [{"name": name, "password": Secret(name)} for name in ("../Gate", "gate", "GATE", "门")]
	laid = lay_out(tmp_path / "edge.toml", tmp_path / "s", {"devices": devices})
	assert len(laid.secrets) == 4
	assert all(path.parent == tmp_path / "s" for path in laid.secrets)


def test_a_line_becomes_a_table(tmp_path: Path) -> None:
	secret = tmp_path / "secret"
	secret.write_text("x\n", encoding="utf-8")
	values = spec.split(
		f"name=Gate, poll_seconds=2.5, enabled=no, port=80, https=true, password_file={secret}"
	)
	table = spec.typed(values, DeviceSettings, hikvision_config())
	assert table.pop("password") == Secret("x")
	assert table == {"name": "Gate", "poll_seconds": 2.5, "enabled": False, "port": 80, "https": True}
	for wrong in ("host", "a=1,a=2", "=x", "port=many", "https=perhaps"):
		with pytest.raises(ConfigError):
			spec.typed(spec.split(wrong), DeviceSettings, hikvision_config())


def hikvision_config() -> type:
	from attendance_bridge import drivers

	return drivers.load("hikvision_isapi").spec.config


def test_cameras_are_found_by_what_the_system_says(tmp_path: Path) -> None:
	by_id = tmp_path / "dev" / "v4l" / "by-id"
	names = tmp_path / "sys"
	for number in (0, 1, 10):
		(tmp_path / "dev").mkdir(exist_ok=True)
		(tmp_path / "dev" / f"video{number}").touch()
	(names / "video10").mkdir(parents=True)
	(names / "video10" / "name").write_text("codec\n", encoding="utf-8")
	plain = eyes.cameras_here(tmp_path / "dev", names)
	assert [each.table["device"] for each in plain] == [f"{tmp_path}/dev/video{n}" for n in (0, 1, 10)]
	assert "codec" in plain[2].label
	by_id.mkdir(parents=True)
	for index in (0, 1):
		(by_id / f"usb-046d_HD_Webcam-video-index{index}").symlink_to(tmp_path / "dev" / f"video{index}")
	[usb] = eyes.cameras_here(tmp_path / "dev", names)
	assert usb.label == "USB camera 046d HD Webcam"


def test_a_secret_that_systemd_hands_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	(tmp_path / "secrets_site-key").write_text("handed\n", encoding="utf-8")
	with pytest.raises(ConfigError):
		read_secret("file", "/nowhere/secrets/site-key")
	monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
	assert read_secret("file", "/nowhere/secrets/site-key") == "handed"


# a person at a terminal, and the whole way


def test_questions_are_asked_again_until_the_answer_is_right(setup: Setup) -> None:
	with a_site() as site:
		key, secret = site.state.api_key, site.state.api_secret
		typed = [
			("called", "Door 1"),
			("Address", "http://127.0.0.1:9"),
			("Address", f"http://127.0.0.1:{site.port}"),
			("API key", key),
			("API secret", "wrong"),
			("API key", key),
			("API secret", secret),
			("Time zone", ""),
			("Add a terminal", "n"),
			("by a camera", "n"),
			("Make an account", "n"),
		]
		command = [str(PROGRAM), "edge", "init", "--as-root", "--page", "here", "--config", str(setup.config)]
		printed = type_at_a_terminal(command, typed)
	assert "Nothing answers" in printed
	assert "refused" in printed
	assert secret not in printed
	assert setup.settings().agent.name == "Door 1"


HIDDEN = ("API secret",)
"""Questions whose answer is not shown."""


def type_at_a_terminal(command: list[str], typed: Sequence[tuple[str, str]]) -> str:
	"""Wait for each question, and answer it; returns everything that was shown."""
	parent, child = pty.openpty()
	with subprocess.Popen(
		command, stdin=child, stdout=child, stderr=child, env=environment(), close_fds=True
	) as process:
		os.close(child)
		shown, seen = "", 0
		try:
			for question, answer in typed:
				shown = read_until(parent, shown, question, seen)
				seen = len(shown)
				os.write(parent, f"{answer}\n".encode())
			shown = read_until(parent, shown, "The pages:", seen)
			assert process.wait(30) == 0
		finally:
			process.kill()
			os.close(parent)
	return shown


def read_until(terminal: int, shown: str, text: str, start: int) -> str:
	deadline = time.monotonic() + 60
	while text not in shown[start:]:
		assert time.monotonic() < deadline, f"{text!r} was not asked: {shown}"
		if select.select([terminal], [], [], 0.2)[0]:
			shown += os.read(terminal, 4096).decode("utf-8", "replace")
	# What is typed before the echo is off for a secret may be thrown away.
	while text in HIDDEN and termios.tcgetattr(terminal)[3] & termios.ECHO:
		assert time.monotonic() < deadline, f"the answer to {text!r} would be shown"
		time.sleep(0.005)
	return shown


def test_unattended_then_checked_then_run(
	setup: Setup, tmp_path: Path, reserve_port: Callable[[], int]
) -> None:
	port = reserve_port()
	with ExitStack() as stack:
		site, terminal = stack.enter_context(a_site()), stack.enter_context(a_terminal())
		options = setup.options[:-2]
		done = run(
			"edge", "init", *options, *setup.of_site(site), *setup.of_terminal(terminal),
			"--camera", "kind=simulated", "--pack", "tiny", "--page", "here", "--page-port", str(port),
		)  # fmt: skip
		assert done.code == 0, done.words
		checked = run("edge", "check", "--config", setup.config)
		assert checked.code == 0, checked.words
		assert "WRONG" not in checked.words
		with Running("edge", "run", "--config", setup.config, log=tmp_path / "log") as agent:
			agent.wait_for(f"http://127.0.0.1:{port}/")
			wait_until(lambda: "camera Camera is open" in agent.printed, "the camera was not opened")
			with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
				assert answer.status == 200
			# While it works:
			copied = run("edge", "backup", "--config", setup.config, tmp_path / "copy.db")
			assert copied.code == 0, copied.words
			refused = run("edge", "restore", "--yes", "--config", setup.config, tmp_path / "copy.db")
			assert refused.code == 5, refused.words
			assert agent.end() == 0
		restored = run("edge", "restore", "--yes", "--config", setup.config, tmp_path / "copy.db")
		assert restored.code == 0, restored.words
		assert run("edge", "check", "--config", setup.config).code == 0
	assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


# backup


def test_a_backup_refuses_to_overwrite(tmp_path: Path) -> None:
	Database.open(tmp_path / "edge.db").close()
	backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
	before = (tmp_path / "copy.db").read_bytes()
	with pytest.raises(StoreError):
		backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
	assert (tmp_path / "copy.db").read_bytes() == before
	assert {path.name for path in tmp_path.iterdir()} == {"edge.db", "copy.db"}


def test_what_was_withdrawn_since_the_backup_does_not_come_back(tmp_path: Path) -> None:
	with Database.open(tmp_path / "edge.db") as database:
		Consents(database).give(
			[
				Consent(employee=name, given_at=NOW, text_version="1", text_sha256="0" * 64)
				for name in ("HR-EMP-1", "HR-EMP-2")
			]
		)
	backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
	with Database.open(tmp_path / "edge.db") as database:
		assert Erasures(database).withdraw("HR-EMP-1", by="somebody", at=NOW)
	done = backup.restore(tmp_path / "copy.db", tmp_path / "edge.db", by="test", at=NOW)
	assert done.erased_again == ("HR-EMP-1",)
	with Database.open(tmp_path / "edge.db") as database:
		[record] = Erasures(database).records()
		assert (record.employee, record.reason) == ("HR-EMP-1", ErasureReason.WITHDRAWN)


def test_a_damaged_database_is_what_one_restores_for(tmp_path: Path) -> None:
	Database.open(tmp_path / "edge.db").close()
	backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
	(tmp_path / "edge.db").write_bytes(b"rubbish" * 1000)
	done = backup.restore(tmp_path / "copy.db", tmp_path / "edge.db", by="test", at=NOW)
	assert done.erasures_unknown
	assert done.set_aside is not None
	assert done.set_aside.read_bytes().startswith(b"rubbish")
	Database.open(tmp_path / "edge.db").close()


def test_going_back_to_an_older_version(tmp_path: Path) -> None:
	Database.open(tmp_path / "edge.db").close()
	backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
	with contextlib.closing(sqlite3.connect(tmp_path / "edge.db")) as connection:
		connection.execute("PRAGMA user_version = 999")  # as a later version leaves it
	with pytest.raises(StoreError) as refused:
		Database.open(tmp_path / "edge.db")
	assert refused.value.code is Code.DATABASE_TOO_NEW
	assert backup.restore(tmp_path / "copy.db", tmp_path / "edge.db", by="test", at=NOW).erasures_unknown
	Database.open(tmp_path / "edge.db").close()


def test_what_people_entered_since_the_backup_is_counted_before(
	tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
	(tmp_path / "edge.toml").write_text(f'[agent]\ndatabase = "{tmp_path}/edge.db"\n', encoding="utf-8")
	arguments = ["edge", "restore", "--config", f"{tmp_path}/edge.toml", f"{tmp_path}/copy.db"]
	with Database.open(tmp_path / "edge.db") as database:
		log = AuditLog(database)
		log.write("punch_entered", who="mona", at=NOW, subject="E1")
		backup.back_up(tmp_path / "edge.db", tmp_path / "copy.db")
		for act in (
			"punch_entered",
			"punch_entered",
			"punch_withdrawn",
			"logged_in",
			"key_added",
			"key_removed",
		):
			log.write(act, who="mona", at=NOW, subject="E1")
	monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
	assert run_command(arguments) == 130
	said = capsys.readouterr().out
	for line in (
		"has to be entered again:",
		"  2 punches entered by hand\n",
		"  1 withdrawal of such a punch\n",
		"  2 changes of accounts, passwords or keys\n",
	):
		assert line in said
	assert not list(tmp_path.glob("*.before-restore-*"))
	assert run_command([*arguments, "--yes"]) == 0
	assert "2 punches entered by hand" in capsys.readouterr().out
	assert run_command([*arguments, "--yes"]) == 0
	assert "entered again" not in capsys.readouterr().out


def test_rubbish_is_not_restored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
	Database.open(tmp_path / "edge.db").close()
	before = (tmp_path / "edge.db").read_bytes()
	(tmp_path / "copy.db").write_bytes(b"rubbish" * 1000)
	(tmp_path / "edge.toml").write_text(f'[agent]\ndatabase = "{tmp_path}/edge.db"\n', encoding="utf-8")
	arguments = ["edge", "restore", "--yes", "--config", f"{tmp_path}/edge.toml", f"{tmp_path}/copy.db"]
	assert run_command(arguments) == 5
	assert "copy.db cannot be opened as a database" in capsys.readouterr().err
	assert (tmp_path / "edge.db").read_bytes() == before
