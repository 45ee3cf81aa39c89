"""The whole journey on the real site: simulated terminals, Punch Log, Employee Checkin, exactly once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import fetch_request, jobs
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.workforce import build
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

PEOPLE, DAYS, SEED = 20, 10, 20260302
TERMINALS = 2
PREFIX = "ABT-"
"""Keeps the ids of these terminals apart from those that the site has already."""


def _people_of(workforce) -> dict[str, str]:
	"""Every worker as an Employee; the employee of each id on the terminals."""
	return {
		worker.device_user_id: premises.employee(
			number, device_user_id=PREFIX + worker.device_user_id, status=_status(worker.status)
		)
		for number, worker in enumerate(workforce.workers, start=1)
	}


def _status(status: str) -> str:
	# Somebody who left needs a relieving date; the punches from before then are as good.
	return "Active" if status == "Left" else status


class TestPullToCheckin(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		last_day = datetime.now(ZoneInfo("Asia/Dubai")).date() - timedelta(days=1)
		cls.workforce = build(PEOPLE, DAYS, SEED, last_day)
		cls.employees = _people_of(cls.workforce)
		frappe.db.commit()

	def setUp(self) -> None:
		self.addCleanup(self._clear_punches)
		self.hikvision = HikvisionState.from_workforce(
			self.workforce, number=1, of=TERMINALS, serial=f"{premises.MARK}HIK0001"
		)
		self.zkteco = ZktecoState.from_workforce(
			self.workforce, number=2, of=TERMINALS, serial=f"{premises.MARK}ZK0002"
		)
		terminal, other = HikvisionTerminal(self.hikvision), ZktecoTerminal(self.zkteco)
		for each in (terminal, other):
			each.start()
			self.addCleanup(each.stop)
		self.devices = [
			terminals.hikvision(terminal.port, user_id_prefix=PREFIX),
			terminals.zkteco(other.port, user_id_prefix=PREFIX),
		]
		frappe.db.commit()

	def _clear_punches(self) -> None:
		frappe.db.rollback()
		frappe.db.delete("Employee Checkin", {"employee": ("in", list(self.employees.values()))})
		premises.clear_own_doctypes()
		frappe.db.commit()

	def _pull_all(self) -> list[dict]:
		logs = [jobs.pull_device(device, "Scheduler") for device in self.devices]
		return [frappe.get_doc("Device Sync Log", log).as_dict() for log in logs]

	def _held(self, fields: tuple[str, ...] | list[str] = ("name",), **filters) -> list[dict]:
		return frappe.get_all(
			"Punch Log", filters={"device": ("in", self.devices), **filters}, fields=list(fields)
		)

	def _cursors(self) -> list[str]:
		return [frappe.db.get_value("Device Configuration", device, "cursor") for device in self.devices]

	def _truth(self) -> set[tuple[str, datetime]]:
		return {*self.hikvision.expected(), *self.zkteco.expected()}

	def test_every_punch_is_held_and_makes_one_checkin(self) -> None:
		first = self._pull_all()
		self.assertEqual([log.status for log in first], ["Complete", "Complete"], first)
		held = self._held(fields=["device_user_id", "wall_time", "status", "name"])
		self.assertEqual({(row.device_user_id, row.wall_time) for row in held}, self._truth())
		self.assertEqual(sum(log.new for log in first), len(held))
		self._assert_exactly_once()

		again = self._pull_all()
		self.assertEqual([(log.status, log.new) for log in again], [("Complete", 0)] * TERMINALS)
		self._assert_exactly_once()

	def _assert_exactly_once(self) -> None:
		self.assertFalse(self._held(status=("in", ("Received", "Pending"))))
		own = {"employee": ("in", list(self.employees.values()))}
		checkins = frappe.get_all(
			"Employee Checkin", filters=own, fields=["name", "employee", "time", "punch_log"]
		)
		self.assertEqual(len({(row.employee, row.time) for row in checkins}), len(checkins))
		linked = self._held(
			status="Checked in", fields=["name", "employee_checkin", "employee", "occurred_at"]
		)
		self.assertEqual(
			{(row.name, row.employee_checkin, row.employee, row.occurred_at) for row in linked},
			{(row.punch_log, row.name, row.employee, row.time) for row in checkins},
		)
		self.assertGreater(len(checkins), PEOPLE * DAYS)

	def test_what_became_of_the_rest_has_a_reason(self) -> None:
		self._pull_all()
		rest = self._held(status=("!=", "Checked in"), fields=["status", "status_reason", "device_user_id"])
		self.assertTrue(rest)
		self.assertFalse([row for row in rest if not row.status_reason])
		strangers = {row.device_user_id for row in rest if row.status == "Unmapped"}
		self.assertEqual(strangers & set(self.employees), set())

	def test_the_watermark_follows_a_complete_pull_and_moves_the_shift(self) -> None:
		shift = premises.shift_type("served", "08:00:00", "17:00:00", enable_auto_attendance=1)
		for device in self.devices:
			document = frappe.get_doc("Device Configuration", device)
			document.append("shifts", {"shift_type": shift})
			document.save()
		before = datetime.now(ZoneInfo("Asia/Dubai")).replace(tzinfo=None)
		jobs.pull_device(self.devices[0], "Scheduler")
		self.assertIsNone(frappe.db.get_value("Shift Type", shift, "last_sync_of_checkin"))
		self.assertIn(self.devices[1], frappe.db.get_value("Shift Type", shift, "attendance_bridge_status"))
		jobs.pull_device(self.devices[1], "Scheduler")
		moved = frappe.db.get_value("Shift Type", shift, "last_sync_of_checkin")
		least = min(
			frappe.get_all("Device Configuration", filters={"name": ("in", self.devices)}, pluck="watermark")
		)
		self.assertEqual(moved, least)
		self.assertGreaterEqual(moved, before)

	def test_a_range_leaves_the_cursor_alone_and_doubles_nothing(self) -> None:
		self._pull_all()
		cursors = self._cursors()
		day: date = self.workforce.at_terminal(1, TERMINALS)[-1].wall_time.date() - timedelta(days=2)
		wish = terminals.wish(self.devices[0], fetch_request.window(str(day), str(day)))
		log = frappe.get_doc("Device Sync Log", jobs.pull_device(self.devices[0], "Fetch Check-in", wish))
		on_that_day = sum(moment.date() == day for _user, moment in self.hikvision.expected())
		self.assertEqual((log.status, log.fetched, log.new), ("Complete", on_that_day, 0))
		self.assertEqual(self._cursors(), cursors)

	def test_a_gap_is_found_at_night_and_closed(self) -> None:
		self._pull_all()
		# One that counts by the day, and one that only knows how many records it holds.
		for device in self.devices:
			with self.subTest(device=device):
				jobs.reconcile_device(device)
				self.assertIsNone(jobs.reconcile_device(device))
				checked_in = {"device": device, "status": "Checked in"}
				lost = frappe.get_all("Punch Log", filters=checked_in, pluck="name", limit=7)
				frappe.db.delete("Employee Checkin", {"punch_log": ("in", lost)})
				frappe.db.delete("Punch Log", {"name": ("in", lost)})
				frappe.db.commit()
				log = frappe.get_doc("Device Sync Log", jobs.reconcile_device(device))
				self.assertEqual((log.status, log.new), ("Complete", 7))
				self._assert_exactly_once()
