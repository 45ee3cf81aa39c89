"""Simulated terminals that push to the real site, in both dialects, while lines break and web workers die."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import jobs, moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, pushers, terminals
from attendance_bridge.bench.tests.site_server import SiteServer
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

PEOPLE = 5
FAULTS = ((), ("answer-lost",), ("half-body",), ("no-content-type", "replay"))
PATIENCE_SECONDS = 240


class _FleetTestCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		pushers.clear()
		cls.addClassCleanup(pushers.clear)
		cls.people = [
			premises.employee(number, device_user_id=_id(number)) for number in range(1, PEOPLE + 1)
		]
		frappe.db.commit()

	def setUp(self) -> None:
		pushers.clear_terminals()
		pushers.settings(push_enabled=1)
		self.server = SiteServer()
		self.addCleanup(self.server.stop)

	def _fleet(self, *states: AdmsState) -> AdmsFleet:
		fleet = AdmsFleet(port=self.server.port, pace=0.02)
		# One address serves all sites of a bench: which is meant stands in Host.
		fleet._host_header = self.server.site
		for state in states:
			fleet.add(state)
		fleet.start()
		self.addCleanup(fleet.stop)
		return fleet

	def _held(self, serial: str) -> Counter[tuple[str, datetime]]:
		frappe.db.rollback()
		rows = frappe.get_all(
			"Punch Log", {"device_serial": serial}, ["device_user_id", "wall_time"], order_by=None
		)
		return Counter((row.device_user_id, row.wall_time) for row in rows)


def _id(number: int) -> str:
	# Terminals of the security dialect take digits only.
	return f"990{number}"


def _day(state: AdmsState, number: int) -> None:
	"""Four punches a person on each of the last three days; no two terminals at the same second."""
	today = moments.utc_now().astimezone(terminals.ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
	for ago in (3, 2, 1):
		for hour in (8, 12, 13, 17):
			for person in range(1, PEOPLE + 1):
				moment = (
					today - timedelta(days=ago) + timedelta(hours=hour, minutes=3 * number, seconds=person)
				)
				state.record(_id(person), moment.replace(tzinfo=None), VerifyMode.FINGER, DeviceKey.UNDEFINED)


def _state(number: int, dialect: Dialect, **values: Any) -> AdmsState:
	state = AdmsState(serial=pushers.serial(number), dialect=dialect, **values)
	_day(state, number)
	return state


class TestFleet(_FleetTestCase):
	def test_every_punch_of_every_terminal_is_one_check_in(self) -> None:
		states = [
			_state(number, dialect, faults=faults)
			for number, (dialect, faults) in enumerate(
				((dialect, faults) for dialect in Dialect for faults in FAULTS), start=1
			)
		]
		for number in range(1, len(states) + 1):
			pushers.terminal(number)
		strangers = [
			_state(21, Dialect.ATTENDANCE),
			_state(22, Dialect.SECURITY),
			_state(23, Dialect.ATTENDANCE, faults=("wrong-token",)),
		]
		pushers.settings(push_enabled=1, push_token="")
		fleet = self._fleet(*states, *strangers)
		self.assertTrue(
			pushers.until(lambda: not any(state.has_news for state in states), PATIENCE_SECONDS),
			[(state.serial, state.answers, state.counters) for state in states],
		)
		fleet.stop()
		for state in states:
			with self.subTest(serial=state.serial, dialect=state.dialect, faults=state.faults):
				held = self._held(state.serial)
				self.assertEqual(set(held), state.expected())
				self.assertEqual(set(held.values()), {1})
		for state in strangers:
			with self.subTest(stranger=state.serial):
				self.assertEqual(state.acknowledged(), set())
				self.assertEqual(self._held(state.serial), Counter())
		jobs.carry_on()
		rows = frappe.get_all(
			"Punch Log",
			{"device": ("like", f"{premises.MARK}%")},
			["status", "status_reason", "employee_checkin"],
		)
		self.assertEqual(len(rows), len(states) * 3 * 4 * PEOPLE)
		# Eight terminals three minutes apart: each person's punches repeat one another, and are said to.
		self.assertLessEqual({row.status for row in rows}, {"Checked in", "Duplicate"})
		made = [row.employee_checkin for row in rows if row.status == "Checked in"]
		self.assertEqual(len(set(made)), len(made))
		self.assertEqual(
			frappe.db.count("Employee Checkin", {"employee": ("in", self.people)}), len(set(made))
		)

	def test_what_was_acknowledged_survives_the_death_of_web_workers(self) -> None:
		states = [_state(number, dialect) for number, dialect in enumerate(Dialect, start=1)]
		for number, state in enumerate(states, start=1):
			state.rows_per_post = 3
			pushers.terminal(number)
		self._fleet(*states)
		killed = 0
		deadline = time.monotonic() + PATIENCE_SECONDS
		while any(state.has_news for state in states) and time.monotonic() < deadline:
			if killed < 6:
				time.sleep(0.5)
				killed += self._kill_a_worker()
			for state in states:
				# Asked before what is held: whatever was acknowledged by then is there.
				acknowledged = state.acknowledged()
				self.assertLessEqual(acknowledged, set(self._held(state.serial)))
		self.assertGreater(killed, 2)
		for state in states:
			held = self._held(state.serial)
			self.assertEqual((set(held), set(held.values())), (state.expected(), {1}))

	def _kill_a_worker(self) -> int:
		process = self.server._process
		children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
		if not children:
			return 0
		os.kill(int(children[0]), signal.SIGKILL)
		return 1


class TestTwoRoads(_FleetTestCase):
	def test_a_terminal_that_is_read_and_pushes_gives_each_punch_once(self) -> None:
		serial = f"{premises.MARK}ZK0009"
		read, pushed = ZktecoState(serial=serial), AdmsState(serial=serial)
		_day(pushed, 1)
		for person in range(1, PEOPLE + 1):
			read.add_user(_id(person))
		for entry in pushed.entries():
			read.record(entry.user_id, entry.wall_time, entry.verify_mode, entry.device_key)
		terminal = ZktecoTerminal(read)
		terminal.start()
		self.addCleanup(terminal.stop)
		device = terminals.zkteco(terminal.port)
		frappe.db.set_value("Device Configuration", device, {"serial_number": serial, "push": 1})
		frappe.db.commit()
		self._fleet(pushed)
		jobs.pull_device(device, "Scheduler")
		self.assertTrue(pushers.until(lambda: not pushed.has_news, PATIENCE_SECONDS))
		frappe.db.rollback()
		log = frappe.get_doc("Device Sync Log", jobs.pull_device(device, "Scheduler"))
		self.assertEqual((log.status, log.new), ("Complete", 0))
		held = self._held(serial)
		self.assertEqual((set(held), set(held.values())), (pushed.expected(), {1}))
		state = frappe.get_doc("Device Configuration", device)
		self.assertEqual((state.road, state.push, state.push_dialect), ("Direct", 1, "attendance"))
		# The terminal says how much it holds: as much as is here.
		jobs.reconcile_device(device)
		state.reload()
		self.assertEqual((state.count_there, state.count_here, state.gap), (60, 60, 0))
		self.assertIsNotNone(state.counted_at)

	def test_what_is_missing_after_all_is_kept_for_people(self) -> None:
		serial = f"{premises.MARK}ZK0008"
		state = ZktecoState(serial=serial)
		state.add_user(_id(1))
		now = moments.utc_now().astimezone(terminals.ZONE).replace(microsecond=0, tzinfo=None)
		for hours in range(5):
			state.record(_id(1), now - timedelta(hours=hours), VerifyMode.FACE, DeviceKey.UNDEFINED)
		terminal = ZktecoTerminal(state)
		terminal.start()
		self.addCleanup(terminal.stop)
		device = terminals.zkteco(terminal.port)
		frappe.db.commit()
		jobs.pull_device(device, "Scheduler")
		# One punch goes by itself: read again, it is here.
		gone = frappe.get_all("Punch Log", {"device": device}, pluck="name", limit=1)[0]
		frappe.db.delete("Punch Log", {"name": gone})
		frappe.db.commit()
		log = frappe.get_doc("Device Sync Log", jobs.reconcile_device(device))
		self.assertEqual((log.trigger, log.new), ("Reconcile", 1))
		document = frappe.get_doc("Device Configuration", device)
		self.assertEqual((document.count_there, document.count_here, document.gap), (5, 5, 0))
		# It says that it holds more than it gives.
		with patch.object(ZktecoState, "sizes", lambda self: (1, 9)):
			jobs.reconcile_device(device)
		document.reload()
		self.assertEqual((document.count_there, document.count_here, document.gap), (9, 5, 4))
		since = document.gap_since
		self.assertIsNotNone(since)
		jobs.reconcile_device(device)
		document.reload()
		self.assertEqual((document.count_there, document.gap, document.gap_since), (5, 0, None))
