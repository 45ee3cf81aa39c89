from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.secrets import MAX_SECRET_LENGTH, read_secret
from attendance_bridge.edge.settings import MAX_FILE_BYTES, from_mapping, load

SECRET = "correct-horse-7"

COMPLETE = """
	[agent]
	name = "Plant 1"
	database = "/var/lib/bridge/edge.db"
	log_level = "DEBUG"
	workers = 4
	people_minutes = 5

	[rules]
	clock_tolerance_seconds = 90
	debounce_seconds = 0
	working_day_hours = 16

	[web]
	enabled = true
	host = "localhost"
	port = 9000

	[[devices]]
	name = "Main gate"
	driver = "hikvision_isapi"
	host = "192.0.2.7"
	port = 8443
	https = true
	verify_tls = false
	user = "events"
	password_env = "GATE_PASSWORD"
	timezone = "Asia/Dubai"
	role = "both"
	user_id_prefix = "G-"
	poll_seconds = 30
	serial = "DS-1"

	[[devices]]
	name = "Workshop"
	driver = "zkteco_tcp"
	host = "zk.example.com"
	comm_key_file = "{comm_key}"
	transport = "udp"
	timezone = "Europe/Berlin"
	enabled = false
"""
ERPNEXT = """
	[upstream]
	kind = "erpnext_rest"
	url = "https://erp.example.com/"
	api_key_env = "SITE_KEY"
	api_secret_env = "SITE_SECRET"
	timezone = "Asia/Dubai"
	concurrency = 2
"""
LEDGER = """
	[upstream]
	kind = "local_ledger"
	people_file = "people.csv"
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
	for name in ("GATE_PASSWORD", "SITE_KEY", "SITE_SECRET"):
		monkeypatch.setenv(name, SECRET)


def write(folder: Path, text: str) -> Path:
	key = folder / "comm.key"
	key.write_text("20261\n", encoding="ascii")
	file = folder / "edge.toml"
	file.write_text(dedent(text).replace("{comm_key}", str(key)), encoding="utf-8")
	return file


def refused(act: Any, *arguments: Any) -> tuple[Code, str]:
	with pytest.raises(ConfigError) as caught:
		act(*arguments)
	words = sentence(caught.value)
	assert SECRET not in words + repr(caught.value) + str(caught.value)
	assert "?" not in words
	return caught.value.code, str(caught.value.details["path"])


# the whole file


def test_a_complete_file_for_a_site(tmp_path: Path) -> None:
	settings = load(write(tmp_path, COMPLETE + ERPNEXT))
	assert (settings.agent.name, settings.agent.workers) == ("Plant 1", 4)
	assert settings.agent.database == Path("/var/lib/bridge/edge.db")
	assert (settings.agent.log_level, settings.agent.people_minutes) == ("debug", 5.0)
	rules = settings.rules.rules()
	assert rules.clock.tolerance == timedelta(seconds=90)
	assert rules.debounce.window == timedelta(0)
	assert rules.direction.working_day == timedelta(hours=16)
	assert (settings.web.host, settings.web.port, settings.web.enabled) == ("127.0.0.1", 9000, True)
	assert settings.upstream.kind == "erpnext_rest"
	assert settings.upstream.config.url == "https://erp.example.com"
	assert settings.upstream.config.api_secret.reveal() == SECRET
	assert settings.upstream.config.timezone == ZoneInfo("Asia/Dubai")


def test_the_devices_of_a_complete_file(tmp_path: Path) -> None:
	gate, workshop = load(write(tmp_path, COMPLETE + ERPNEXT)).devices
	assert (gate.settings.name, gate.settings.serial, gate.settings.poll_seconds) == ("Main gate", "DS-1", 30)
	assert (gate.settings.policy.role, gate.settings.policy.user_id_prefix) == (DeviceRole.BOTH, "G-")
	assert (gate.config.host, gate.config.effective_port, gate.config.verify_tls) == (
		"192.0.2.7",
		8443,
		False,
	)
	assert gate.config.password.reveal() == SECRET
	assert workshop.config.comm_key.reveal() == "20261"
	assert workshop.config.transport.value == "udp"
	assert workshop.settings.timezone == ZoneInfo("Europe/Berlin")
	assert not workshop.settings.enabled


def test_only_enabled_devices_are_polled(tmp_path: Path) -> None:
	settings = load(write(tmp_path, COMPLETE + LEDGER))
	assert [device.settings.name for device in settings.enabled_devices] == ["Main gate"]
	assert settings.upstream.config.people_file == "people.csv"


def test_an_empty_file_is_an_agent_with_a_ledger_and_no_device(tmp_path: Path) -> None:
	settings = load(write(tmp_path, ""))
	assert (settings.upstream.kind, settings.devices) == ("local_ledger", ())


def test_no_secret_is_in_the_repr(tmp_path: Path) -> None:
	assert SECRET not in repr(load(write(tmp_path, COMPLETE + ERPNEXT)))


# refusals, each with the path of the key


def gate(**changes: Any) -> dict[str, Any]:
	device = {
		"name": "Gate",
		"driver": "hikvision_isapi",
		"host": "192.0.2.7",
		"user": "events",
		"password_env": "GATE_PASSWORD",
		"timezone": "Asia/Dubai",
	}
	merged = {**device, **changes}
	return {key: value for key, value in merged.items() if value is not None}


def site(**changes: Any) -> dict[str, Any]:
	upstream = {
		"kind": "erpnext_rest",
		"url": "https://erp.example.com",
		"api_key_env": "SITE_KEY",
		"api_secret_env": "SITE_SECRET",
		"timezone": "Asia/Dubai",
	}
	merged = {**upstream, **changes}
	return {key: value for key, value in merged.items() if value is not None}


@pytest.mark.parametrize(
	("mapping", "code", "path"),
	[
		({"agents": {}}, Code.UNKNOWN_KEY, "agents"),
		({"agent": []}, Code.BAD_VALUE, "agent"),
		({"agent": {"nam": "x"}}, Code.UNKNOWN_KEY, "agent.nam"),
		({"agent": {"workers": 0}}, Code.BAD_VALUE, "agent.workers"),
		({"agent": {"workers": True}}, Code.BAD_VALUE, "agent.workers"),
		({"agent": {"name": "x" * 81}}, Code.BAD_VALUE, "agent.name"),
		({"agent": {"log_level": "chatty"}}, Code.BAD_VALUE, "agent.log_level"),
		({"agent": {"database": 5}}, Code.BAD_VALUE, "agent.database"),
		({"agent": {"people_minutes": float("nan")}}, Code.BAD_VALUE, "agent.people_minutes"),
		({"rules": {"debounce_seconds": -1}}, Code.BAD_VALUE, "rules.debounce_seconds"),
		({"rules": {"working_day_hours": 49}}, Code.BAD_VALUE, "rules.working_day_hours"),
		({"rules": {"clock_tolerance_seconds": "2 min"}}, Code.BAD_VALUE, "rules.clock_tolerance_seconds"),
		({"web": {"port": 70_000}}, Code.BAD_VALUE, "web.port"),
		# the page has no login
		({"web": {"host": "0.0.0.0"}}, Code.BAD_VALUE, "web.host"),
		({"web": {"host": "192.0.2.1"}}, Code.BAD_VALUE, "web.host"),
		({"web": {"host": "edge.example.com"}}, Code.BAD_VALUE, "web.host"),
		({"web": {"host": "::"}}, Code.BAD_VALUE, "web.host"),
		({"upstream": "erpnext_rest"}, Code.BAD_VALUE, "upstream"),
		({"upstream": {"kind": "sap"}}, Code.BAD_VALUE, "upstream.kind"),
		({"upstream": {"kind": ["local_ledger"]}}, Code.BAD_VALUE, "upstream.kind"),
		({"upstream": {"kind": "local_ledger", "url": "x"}}, Code.UNKNOWN_KEY, "upstream.url"),
		({"upstream": site(url=None)}, Code.MISSING_KEY, "upstream.url"),
		({"upstream": site(url="http://erp.example.com")}, Code.BAD_VALUE, "upstream"),
		({"upstream": site(api_key_env=None)}, Code.MISSING_KEY, "upstream.api_key_env"),
		({"upstream": site(api_key="abc")}, Code.BAD_VALUE, "upstream.api_key_env"),
		({"upstream": site(api_key_env=None, api_key="abc")}, Code.BAD_VALUE, "upstream.api_key"),
		({"upstream": site(timezone="Dubai")}, Code.BAD_VALUE, "upstream.timezone"),
		({"devices": {"name": "x"}}, Code.BAD_VALUE, "devices"),
		({"devices": ["x"]}, Code.BAD_VALUE, "devices[0]"),
		({"devices": [gate(name=f"{n}") for n in range(2001)]}, Code.BAD_VALUE, "devices"),
		({"devices": [gate(), gate()]}, Code.BAD_VALUE, "devices[1].name"),
		({"devices": [gate(name=None)]}, Code.MISSING_KEY, "devices[0].name"),
		({"devices": [gate(name="  ")]}, Code.BAD_VALUE, "devices[0].name"),
		({"devices": [gate(driver=None)]}, Code.MISSING_KEY, "devices[0].driver"),
		({"devices": [gate(driver="os")]}, Code.BAD_VALUE, "devices[0].driver"),
		({"devices": [gate(driver=7)]}, Code.BAD_VALUE, "devices[0].driver"),
		({"devices": [gate(), gate(name="b", rol="in")]}, Code.UNKNOWN_KEY, "devices[1].rol"),
		({"devices": [gate(role="door")]}, Code.BAD_VALUE, "devices[0].role"),
		({"devices": [gate(timezone="../../etc/passwd")]}, Code.BAD_VALUE, "devices[0].timezone"),
		({"devices": [gate(poll_seconds=0)]}, Code.BAD_VALUE, "devices[0].poll_seconds"),
		({"devices": [gate(enabled="no")]}, Code.BAD_VALUE, "devices[0].enabled"),
		({"devices": [gate(host=None)]}, Code.MISSING_KEY, "devices[0].host"),
		({"devices": [gate(host="a; reboot")]}, Code.BAD_VALUE, "devices[0].host"),
		({"devices": [gate(password_env=None)]}, Code.MISSING_KEY, "devices[0].password_env"),
		({"devices": [gate(password_env="NOT_SET")]}, Code.SECRET_MISSING, "devices[0].password_env"),
		({"devices": [gate(password_env=5)]}, Code.BAD_VALUE, "devices[0].password_env"),
		({"devices": [gate(password_file="x")]}, Code.BAD_VALUE, "devices[0].password_file"),
		(
			{"devices": [gate(password_env=None, password_file="/no/such/file")]},
			Code.SECRET_MISSING,
			"devices[0].password_file",
		),
	],
)
def test_refusals(mapping: dict[str, Any], code: Code, path: str) -> None:
	assert refused(from_mapping, mapping) == (code, path)


def test_a_key_of_neither_is_told_all_that_is_known_there() -> None:
	with pytest.raises(ConfigError) as caught:
		from_mapping({"devices": [gate(rol="in")]})
	known = str(caught.value.details["known"]).split(", ")
	assert {"role", "poll_seconds", "user", "password_env"} <= set(known)
	with pytest.raises(ConfigError) as caught:
		from_mapping({"upstream": {"kin": "local_ledger"}})
	assert {"kind", "people_file"} <= set(str(caught.value.details["known"]).split(", "))


@pytest.mark.parametrize(
	("content", "why"),
	[
		(b"[agent\n", "not TOML"),
		(b"\xff\xfe", "not TOML"),
		(b'[agent]\nname = "a"\nname = "b"\n', "not TOML"),
		(b"#" * (MAX_FILE_BYTES + 1), "larger than 1 MB"),
	],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, why: str) -> None:
	file = tmp_path / "edge.toml"
	file.write_bytes(content)
	with pytest.raises(ConfigError) as caught:
		load(file)
	assert caught.value.code is Code.UNREADABLE_FILE
	assert why in sentence(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
	missing = tmp_path / "no.toml"
	assert refused(load, missing) == (Code.UNREADABLE_FILE, str(missing))
	assert refused(load, tmp_path) == (Code.UNREADABLE_FILE, str(tmp_path))


# secrets


def test_a_secret_from_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("GATE_PASSWORD", " ünter\t")
	assert read_secret("env", "GATE_PASSWORD") == " ünter\t"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_line_breaks_at_the_end_of_a_file_are_no_part_of_the_secret(tmp_path: Path, end: str) -> None:
	file = tmp_path / "secret"
	file.write_bytes(f" {SECRET} {end}".encode())
	assert read_secret("file", str(file)) == f" {SECRET} "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_SECRET_LENGTH + 1)])
def test_a_file_without_a_usable_secret(tmp_path: Path, content: bytes) -> None:
	file = tmp_path / "secret"
	file.write_bytes(content)
	with pytest.raises(ConfigError) as caught:
		read_secret("file", str(file))
	assert (caught.value.code, caught.value.details["kind"]) == (Code.SECRET_MISSING, "file")
	assert str(file) in sentence(caught.value)


def test_what_is_no_file_is_named_with_its_key(tmp_path: Path) -> None:
	device = gate(password_env=None, password_file=str(tmp_path))
	assert refused(from_mapping, {"devices": [device]}) == (Code.SECRET_MISSING, "devices[0].password_file")


def test_a_variable_that_holds_no_text_is_refused_before_anybody_stumbles_over_it(
	monkeypatch: pytest.MonkeyPatch,
) -> None:
	# That is how Python hands over the byte FF.
	monkeypatch.setenv("GATE_PASSWORD", f"{SECRET}\udcff")
	assert refused(from_mapping, {"devices": [gate()]}) == (Code.SECRET_MISSING, "devices[0].password_env")


def test_the_camera_of_an_agent_is_no_terminal_to_be_read() -> None:
	device = {"name": "Door", "driver": "edge_camera", "timezone": "Asia/Dubai"}
	assert refused(from_mapping, {"devices": [device]}) == (Code.BAD_VALUE, "devices[0].driver")


def test_the_example_file_is_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("MAIN_GATE_PASSWORD", SECRET)
	monkeypatch.setenv("WORKSHOP_COMM_KEY", "20261")
	monkeypatch.setenv("SITE_API_KEY", "key")
	monkeypatch.setenv("SITE_API_SECRET", SECRET)
	settings = load(Path(__file__).parents[2] / "docs" / "edge.example.toml")
	assert {device.settings.driver for device in settings.devices} == {"hikvision_isapi", "zkteco_tcp"}
