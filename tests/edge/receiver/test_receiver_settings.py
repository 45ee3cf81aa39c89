"""The table [receiver], and terminals that push in the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.relay import RelayedDevice
from attendance_bridge.edge.connections import check_device
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.terminals import Terminals, device_of
from tests.edge.receiver.conftest import Clock

TOKEN = "abcdefghijklmnop"


def pushed(**more: Any) -> dict[str, Any]:
	return {"name": "Gate", "driver": "zkteco_adms", "timezone": "Asia/Dubai", "serial": "A1", **more}


def test_it_is_off_until_somebody_wants_it() -> None:
	receiver = from_mapping({}).receiver
	assert not receiver.enabled
	assert receiver.gate.token is None
	assert any("10.0.0.0/8" in str(network) for network in receiver.gate.networks)
	assert not any(network.prefixlen == 0 for network in receiver.gate.networks), "not from everywhere"


@pytest.mark.parametrize(
	("table", "code", "path"),
	[
		({"port": 70_000}, Code.BAD_VALUE, "receiver.port"),
		({"host": "gate.example.com"}, Code.BAD_VALUE, "receiver.host"),
		({"networks": "10.0.0.0/33"}, Code.BAD_VALUE, "receiver.networks"),
		({"token": TOKEN}, Code.BAD_VALUE, "receiver.token"),
		({"token_env": "NO_SUCH_TOKEN"}, Code.SECRET_MISSING, "receiver.token_env"),
		({"shell": True}, Code.UNKNOWN_KEY, "receiver.shell"),
	],
)
def test_what_is_wrong_is_named(table: dict[str, Any], code: Code, path: str) -> None:
	with pytest.raises(ConfigError) as refused:
		from_mapping({"receiver": table})
	assert (refused.value.code, refused.value.details["path"]) == (code, path)


def test_a_token_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("PUSH_TOKEN", "1234")
	with pytest.raises(ConfigError) as refused:
		from_mapping({"receiver": {"token_env": "PUSH_TOKEN"}})
	assert "1234" not in str(refused.value)


def test_a_terminal_that_pushes_is_known_by_its_serial_number() -> None:
	table = pushed()
	del table["serial"]
	with pytest.raises(ConfigError) as refused:
		from_mapping({"devices": [table]})
	assert (refused.value.code, refused.value.details["path"]) == (Code.MISSING_KEY, "devices[0].serial")


def test_nobody_reads_it(clock: Clock) -> None:
	settings = from_mapping({"devices": [pushed(), pushed(name="Off", serial="A2", enabled=False)]})
	terminals = Terminals(settings.devices)
	assert terminals.enabled == ()
	assert [device.settings.serial for device in terminals.pushed] == ["A1"]
	assert check_device(settings.devices[0], clock).ok


def relayed(serial: str) -> RelayedDevice:
	return RelayedDevice(
		name="Back door",
		driver="zkteco_adms",
		enabled=True,
		serial=serial,
		time_zone="Asia/Dubai",
		role="in",
		user_id_prefix="",
		poll_seconds=60.0,
		options={"push_token": TOKEN, "networks": "192.0.2.0/24"},
	)


def test_a_site_lets_one_in() -> None:
	device = device_of(relayed("A1"))
	assert device.config.push_token.reveal() == TOKEN
	assert len(device.config.allowed_networks) == 1
	with pytest.raises(ConfigError):
		device_of(relayed(""))
