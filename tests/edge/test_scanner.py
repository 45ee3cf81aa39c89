"""A scan finds terminals by serial number, without a user's password, in private ranges, bounded."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from click.testing import CliRunner

from attendance_bridge.cli.scan import scan
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.relay import MOST_SCANNED_ADDRESSES, FoundTerminal, Scan, ScanReport
from attendance_bridge.drivers.hikvision_isapi import driver as hikvision_driver
from attendance_bridge.drivers.hikvision_isapi import probe as sadp
from attendance_bridge.drivers.zkteco_tcp import driver as zkteco_driver
from attendance_bridge.drivers.zkteco_tcp import probe as zk_probe
from attendance_bridge.edge import scanner
from attendance_bridge.edge.scanner import Scanner, addresses_in, look_through
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from tests.drivers.test_zkteco_tcp_live import listening
from tests.drivers.zk_wire_terminal import WireTerminal
from tests.edge.rig import eventually, hikvision, zkteco

KEY = 471_147

MATCH = (
	b'<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>X</Uuid><Types>inquiry</Types>'
	b"<DeviceDescription>DS-K1T342</DeviceDescription><DeviceSN>DS-K1T342-0001</DeviceSN>"
	b"<CommandPort>8000</CommandPort><HttpPort>8080</HttpPort><IPv4Address>192.168.1.9</IPv4Address>"
	b"<SoftwareVersion>V3.2.30build 220210</SoftwareVersion></ProbeMatch>"
)


@contextmanager
def answering(*datagrams: bytes) -> Iterator[int]:
	"""A loopback port where every inquiry is answered so."""
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
		here.bind(("127.0.0.1", 0))
		here.settimeout(0.05)
		stop = threading.Event()

		def serve() -> None:
			while not stop.is_set():
				try:
					asked, sender = here.recvfrom(4096)
				except TimeoutError:
					continue
				assert b"<Types>inquiry</Types>" in asked
				for datagram in datagrams:
					here.sendto(datagram, sender)

		thread = threading.Thread(target=serve)
		thread.start()
		try:
			yield here.getsockname()[1]
		finally:
			stop.set()
			thread.join()


# --- which ranges


def test_addresses_of_a_range() -> None:
	assert addresses_in(["192.168.1.0/30", "192.168.1.1/32"]) == ["192.168.1.1", "192.168.1.2"]
	assert len(addresses_in(["10.0.0.0/22"])) == 1022
	assert addresses_in(["192.168.1.77/30"]) == ["192.168.1.77", "192.168.1.78"], "the range that it lies in"


@pytest.mark.parametrize(
	"networks",
	[
		["8.8.8.0/24"],
		["0.0.0.0/0"],
		["10.0.0.0/21"],
		["172.32.0.0/24"],
		["2001:db8::/120"],
		["fd00::/64"],
		["gate.example.com"],
		[""],
		["192.168.1.0/24; rm -rf /"],
		[f"10.0.{number * 4}.0/22" for number in range(MOST_SCANNED_ADDRESSES // 1022 + 1)],
	],
)
def test_other_ranges_are_refused(networks: list[str]) -> None:
	with pytest.raises(ConfigError) as caught:
		addresses_in(networks)
	assert caught.value.code is Code.BAD_VALUE


# --- who answers


def test_a_hikvision_terminal_says_who_it_is() -> None:
	with answering(b"noise", b"<Probe/>", MATCH) as port:
		found = sadp.probe("127.0.0.1", 2.0, port=port)
	assert found == (
		8080,
		DeviceInfo(serial="DS-K1T342-0001", model="DS-K1T342", firmware="V3.2.30build 220210"),
	)


@pytest.mark.parametrize(
	"datagram",
	[b"", b"<", b"<ProbeMatch/>", MATCH.replace(b"DS-K1T342-0001", b"x" * 65), MATCH[:-20], b"\xff" * 100],
)
def test_another_answer_is_nobody(datagram: bytes) -> None:
	assert sadp.read_match(datagram) is None


def test_nobody_answers() -> None:
	begun_at = time.monotonic()
	assert sadp.probe("127.0.0.1", 0.2, port=9) is None
	with socket.create_server(("127.0.0.1", 0)) as mute:
		assert zk_probe.probe("127.0.0.1", 0.2, port=mute.getsockname()[1]) is None
	assert time.monotonic() - begun_at < 2


def test_a_zkteco_terminal_says_who_it_is() -> None:
	state = ZktecoState(serial="ZK-0815", device_name="F22")
	with ZktecoTerminal(state) as terminal:
		found = zk_probe.probe("127.0.0.1", 2.0, port=terminal.port)
	assert found == (terminal.port, DeviceInfo(serial="ZK-0815", model="F22"))
	assert state.enabled


def secrets(*keys: int) -> list[Secret]:
	return [Secret(str(key)) for key in keys]


@pytest.mark.parametrize(
	("keys", "wrong"), [([], 0), ([0], 0), ([1, 1, 1], 1), ([1, 2, 3, KEY], zk_probe.MOST_KEYS)]
)
def test_a_terminal_that_wants_a_comm_key_is_named_by_its_address(keys: list[int], wrong: int) -> None:
	state = ZktecoState(serial="ZK-0815", comm_key=KEY)
	with ZktecoTerminal(state) as terminal:
		found = zk_probe.probe("127.0.0.1", 2.0, port=terminal.port, keys=secrets(*keys))
	assert found == (terminal.port, None)
	assert state.counters["wrong_comm_key"] == wrong


def test_a_comm_key_of_another_terminal_opens_it() -> None:
	state = ZktecoState(serial="ZK-0815", device_name="F22", comm_key=KEY)
	with ZktecoTerminal(state) as terminal:
		found = zk_probe.probe("127.0.0.1", 2.0, port=terminal.port, keys=secrets(1, KEY))
	assert found == (terminal.port, DeviceInfo(serial="ZK-0815", model="F22"))
	assert state.counters["wrong_comm_key"] == 1


def test_a_terminal_that_is_listened_to_is_not_disturbed() -> None:
	with WireTerminal() as terminal, closing(listening(terminal)) as heard:
		next(heard)
		assert zk_probe.probe("127.0.0.1", 1.0, port=terminal.port) is None
		assert terminal.connections == 1


# --- a whole scan


@pytest.fixture
def lan(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZktecoState]:
	"""A terminal of each family at 127.0.0.1, on ports of their own; elsewhere nobody."""
	monkeypatch.setattr(scanner, "PROBE_SECONDS", 2.0)
	state = ZktecoState(serial="ZK-0815")
	with answering(MATCH) as udp, ZktecoTerminal(state) as terminal:
		monkeypatch.setattr(
			hikvision_driver, "probe", lambda host, seconds: sadp.probe(host, seconds, port=udp)
		)
		monkeypatch.setattr(
			zkteco_driver,
			"probe",
			lambda host, seconds, keys: zk_probe.probe(host, seconds, port=terminal.port, keys=keys),
		)
		yield state


@pytest.mark.usefixtures("lan")
def test_terminals_are_found_in_a_range() -> None:
	found = {(each.serial, each.driver, each.host) for each in look_through(addresses_in(["127.0.0.0/29"]))}
	assert found == {
		("DS-K1T342-0001", "hikvision_isapi", "127.0.0.1"),
		("ZK-0815", "zkteco_tcp", "127.0.0.1"),
	}


def test_keys_that_are_known_here_open_others_and_are_written_nowhere(
	lan: ZktecoState, caplog: pytest.LogCaptureFixture
) -> None:
	caplog.set_level(logging.DEBUG)
	lan.comm_key = KEY
	report = scan_of(Scanner())
	(locked,) = (each for each in report.terminals if each.driver == "zkteco_tcp")
	assert (locked.serial, locked.wants_key, locked.host) == ("", True, "127.0.0.1")
	report = scan_of(Scanner(devices=lambda: [zkteco(4370, comm_key=KEY), hikvision(80)]))
	assert {(each.serial, each.wants_key) for each in report.terminals} >= {("ZK-0815", False)}
	assert str(KEY) not in caplog.text + repr(report)


def scan_of(made: Scanner) -> ScanReport:
	made.obey(Scan(token="t1", networks=("127.0.0.1/32",)))
	eventually(lambda: made.report is not None)
	assert made.report is not None
	return made.report


def test_it_ends_soon_however_many_addresses_wait(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(scanner, "findable", dict)
	before = set(threading.enumerate())
	made = Scanner()
	made.obey(Scan(token="t1", networks=("127.0.0.0/22",)))
	eventually(lambda: len(set(threading.enumerate()) - before) > 1)
	begun_at = time.monotonic()
	made.close()
	eventually(lambda: set(threading.enumerate()) <= before)
	assert time.monotonic() - begun_at < 3


def test_a_fault_of_ours_is_told_to_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(scanner, "look_through", lambda *_args, **_rest: 1 / 0)
	assert scan_of(Scanner()).error == Code.DEVICE_ERROR.value


def test_so_many_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(scanner, "findable", dict)
	monkeypatch.setattr(scanner, "PER_SECOND", 100)
	begun_at = time.monotonic()
	assert list(look_through(f"127.0.0.{number}" for number in range(50))) == []
	assert time.monotonic() - begun_at > 0.4


def test_known_terminals_are_told_and_not_asked(lan: ZktecoState) -> None:
	known = FoundTerminal(serial="K", host="127.0.0.1", port=80, driver="hikvision_isapi")
	elsewhere = FoundTerminal(serial="E", host="10.0.0.1", port=80, driver="hikvision_isapi")
	assert list(look_through(["127.0.0.1"], known=[known, elsewhere])) == [known]
	assert lan.counters["connections"] == 0


@pytest.mark.usefixtures("lan")
def test_a_wish_of_the_site_is_obeyed_once() -> None:
	done: list[int] = []
	made = Scanner(on_done=lambda: done.append(1))
	wanted = Scan(token="t1", networks=("127.0.0.1/32",))
	made.obey(wanted)
	eventually(lambda: done)
	made.obey(wanted)
	report = made.report
	assert report is not None
	assert (report.token, report.addresses, report.error, done) == ("t1", 1, "", [1])
	assert {each.serial for each in report.terminals} == {"ZK-0815", "DS-K1T342-0001"}
	made.obey(None)
	assert made.report is None

	def obeys_another() -> bool:
		# As with each heartbeat: the first scan may not be over when it has told.
		made.obey(Scan(token="t2", networks=("8.8.8.8/32",)))
		return made.report is not None

	eventually(obeys_another)
	assert made.report is not None
	assert (made.report.token, made.report.error) == ("t2", Code.BAD_VALUE.value)


@pytest.mark.usefixtures("lan")
def test_the_command_line() -> None:
	told = CliRunner().invoke(scan, ["127.0.0.1/32"])
	assert "ZK-0815  zkteco_tcp  127.0.0.1:" in told.output
	assert "DS-K1T342-0001  hikvision_isapi  127.0.0.1:8080  DS-K1T342" in told.output
	assert "2 terminals at 1 addresses" in told.output
	refused = CliRunner().invoke(scan, ["8.8.8.0/24"])
	assert "private" in refused.output
