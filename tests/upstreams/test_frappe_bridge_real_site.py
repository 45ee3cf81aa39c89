"""The upstream `frappe_bridge` in front of a real site that has the app; skipped unless one is named.

Environment variables as in test_erpnext_real_site.py; the key has to be that of a System Manager with the
role HR Manager. A site for trials is meant: an Edge Agent, a Device Configuration, employees and punches are
made there. Punches cannot be deleted, so all of it stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.relay import DeviceReport, Heartbeat
from attendance_bridge.core.upstream import Outcome
from attendance_bridge.upstreams.frappe_bridge import Upstream
from attendance_bridge.upstreams.frappe_bridge.config import Config
from tests.contracts.upstream_contract import (
	Held,
	Rig,
	UpstreamContract,
	assert_once,
	check_in,
	day,
	outcomes,
)
from tests.upstreams.real_site import CHECKIN, EMPLOYEE, IS_NAMED, NONE_NAMED, URL, ZONE, Site, Workplace

pytestmark = pytest.mark.skipif(not IS_NAMED, reason=NONE_NAMED)

AGENT, DEVICE = "/api/resource/Edge Agent", "/api/resource/Device Configuration"
SERIAL = "DS-K1T-0001"
TERMINAL = "Contract gate"
TERMINAL_PASSWORD = "never-to-be-seen-1"


class Bridge:
	"""Our agent and our terminal on the site."""

	def __init__(self, site: Site) -> None:
		self.site = site
		name = "Contract agent"
		if not site.rows(AGENT, ["name"], "name asc", [["name", "=", name]]):
			site.request("POST", AGENT, json={"agent_name": name})
		self.user = str(site.request("GET", f"{AGENT}/{name}")["user"])
		self.key, self.secret = self._new_keys()
		self._enter_terminal(name)

	def _new_keys(self) -> tuple[str, str]:
		method = "/api/method/frappe.core.doctype.user.user.generate_keys"
		answer = self.site.session.post(f"{URL.rstrip('/')}{method}", json={"user": self.user}, timeout=60)
		assert answer.ok, answer.text[:500]
		key = self.site.request("GET", f"/api/resource/User/{self.user}")["api_key"]
		return str(key), str(answer.json()["message"]["api_secret"])

	def _enter_terminal(self, agent: str) -> None:
		facts = {
			"device_name": TERMINAL,
			"driver": "hikvision_isapi",
			"edge_agent": agent,
			"device_ip": "192.0.2.10",
			"device_user": "admin",
			"device_user_password": TERMINAL_PASSWORD,
			"time_zone": "Asia/Karachi",
			"serial_number": SERIAL,
		}
		if not self.site.rows(DEVICE, ["name"], "name asc", [["name", "=", TERMINAL]]):
			self.site.request("POST", DEVICE, json=facts)

	def prefix_ids_with(self, prefix: str) -> None:
		self.site.request("PUT", f"{DEVICE}/{TERMINAL}", json={"user_id_prefix": prefix})


class RealBridgeRig(Rig):
	def __init__(self, bridge: Bridge) -> None:
		self.bridge = bridge
		self.site = bridge.site
		# New people for every test: what their terminals told of them before stays on the site.
		self.workplace = Workplace(self.site)
		self.workplace.open()
		bridge.prefix_ids_with(f"{self.workplace.prefix}-")
		for employee in self.workplace.everybody:
			self._rename(employee, f"{self.workplace.prefix}-{employee[-3:]}")
		self.employees = tuple(self.workplace.active)
		self._opened = contextlib.ExitStack()

	def _rename(self, employee: str, device_id: str) -> None:
		self.site.request("PUT", f"{EMPLOYEE}/{employee}", json={"attendance_device_id": device_id})

	def upstream(self, **changes: Any) -> Upstream:
		options: dict[str, Any] = {
			"url": URL,
			"api_key": Secret(self.bridge.key),
			"api_secret": Secret(self.bridge.secret),
		}
		return self._opened.enter_context(contextlib.closing(Upstream(Config(**{**options, **changes}))))

	def stop(self) -> None:
		self._opened.close()
		for number, employee in enumerate(self.workplace.everybody):
			self._rename(employee, f"{self.workplace.prefix}-left-{number}")

	def held(self) -> Sequence[Held]:
		fields = ["employee", "time", "log_type", "device_id"]
		ours = [["employee", "in", self.workplace.everybody]]
		rows = self.site.rows(CHECKIN, fields, "creation asc, name asc", ours)
		return [
			Held(
				employee=row["employee"],
				moment=datetime.fromisoformat(row["time"])
				.replace(tzinfo=ZoneInfo(ZONE))
				.astimezone(timezone.utc),
				log_type=row["log_type"] or "",
				# The site writes its own name of the terminal there.
				device_serial=SERIAL if row["device_id"] == TERMINAL else row["device_id"],
			)
			for row in rows
		]

	def people(self) -> Sequence[Person]:
		columns = {
			"employee": "name",
			"attendance_device_id": "attendance_device_id",
			"full_name": "employee_name",
			"status": "status",
			"department": "department",
			"designation": "designation",
			"company": "company",
			"branch": "branch",
			"shift": "default_shift",
		}
		rows = self.site.rows(EMPLOYEE, list(columns.values()), "name asc")
		return [Person(**{ours: row[theirs] or "" for ours, theirs in columns.items()}) for row in rows]

	def employee_refused(self) -> str:
		return self.workplace.inactive


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
	site = Site()
	yield Bridge(site)
	site.session.close()


@pytest.fixture
def rig(bridge: Bridge) -> Iterator[RealBridgeRig]:
	rig = RealBridgeRig(bridge)
	yield rig
	rig.stop()


class TestFrappeBridgeOnARealSite(UpstreamContract):
	decides = True

	@pytest.fixture
	def rig(self, bridge: Bridge) -> Iterator[RealBridgeRig]:
		rig = RealBridgeRig(bridge)
		yield rig
		rig.stop()


def test_a_batch_in_parts_arrives_once(rig: RealBridgeRig) -> None:
	batch = [one for employee in rig.employees for one in day(employee, 10)]
	upstream = rig.upstream(punches_at_once=7)
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.ACCEPTED] * len(batch)
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.DUPLICATE] * len(batch)
	assert_once(rig.held(), batch)


def test_terminals_and_heartbeat(rig: RealBridgeRig) -> None:
	upstream = rig.upstream()
	assignment = upstream.devices()
	(device,) = (each for each in assignment.devices if each.name == TERMINAL)
	assert (device.serial, device.time_zone) == (SERIAL, "Asia/Karachi")
	assert device.options["password"] == TERMINAL_PASSWORD
	assert TERMINAL_PASSWORD not in repr(assignment)
	report = DeviceReport(name=TERMINAL, serial=SERIAL, last_contact=datetime.now(timezone.utc))
	orders = upstream.heartbeat(
		Heartbeat(waiting=0, oldest_waiting=None, revision=assignment.revision, devices=(report,))
	)
	assert abs(orders.now - datetime.now(timezone.utc)).total_seconds() < 10
	assert orders.revision == upstream.devices().revision


def test_changes_of_people_arrive(rig: RealBridgeRig) -> None:
	upstream = rig.upstream()
	before = {person.employee: person for person in upstream.people()}
	rig.site.request("PUT", f"{EMPLOYEE}/{rig.employees[0]}", json={"first_name": "Another"})
	after = {person.employee: person for person in upstream.people()}
	assert after.keys() == before.keys()
	assert after[rig.employees[0]].full_name != before[rig.employees[0]].full_name


def test_a_wrong_secret_sends_nothing(rig: RealBridgeRig) -> None:
	upstream = rig.upstream(api_secret=Secret("0" * 15))
	for ask in (lambda: list(upstream.deliver(day(rig.employees[0]))), upstream.check, upstream.devices):
		with pytest.raises(UpstreamError) as caught:
			ask()
		assert caught.value.code is Code.AUTH_FAILED
	assert rig.held() == []


def test_the_agent_may_do_nothing_else(rig: RealBridgeRig) -> None:
	list(rig.upstream().deliver([check_in(rig.employees[0])]))
	headers = {"Authorization": f"token {rig.bridge.key}:{rig.bridge.secret}"}
	for doctype in ("Employee", "Employee Checkin", "Punch Log", "Device Configuration"):
		answer = rig.site.session.get(
			f"{URL.rstrip('/')}/api/resource/{doctype}", headers=headers, timeout=60
		)
		assert answer.status_code == 403, doctype
