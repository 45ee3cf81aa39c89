"""Batches of an agent on the real site: held first, each punch with its receipt."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import background, ingest, punch_rows
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import BadFieldError
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, premises, terminals
from attendance_bridge.bench.tests.agents_at_work import sent

MONDAY = datetime(2026, 3, 2, 8, 0)
CLOCK = {"read_at": "2026-03-02T10:00:00Z", "offset_seconds": 0.4, "good_until": "2026-03-02T09:00:00Z"}


class TestIngest(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		agents_at_work.clear()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.addClassCleanup(agents_at_work.clear)
		cls.people = [premises.employee(number, device_user_id=f"abt{number}") for number in range(1, 11)]
		cls.agent = Agent(name=agents_at_work.agent().name)
		frappe.db.commit()

	def setUp(self) -> None:
		self._clear()
		self.addCleanup(self._clear)
		self.device = terminals.silent(1, edge_agent=self.agent.name)
		frappe.db.commit()
		queue = patch.object(background, "queue_carry_on")
		self.queued = queue.start()
		self.addCleanup(queue.stop)

	def _clear(self) -> None:
		frappe.db.rollback()
		own = ("like", f"{premises.MARK}%")
		for doctype in ("Punch Log", "Unreadable Record"):
			frappe.db.delete(doctype, {"device_serial": own})
		frappe.db.delete("Employee Checkin", {"employee": ("in", self.people)})
		frappe.db.delete("Device Configuration", {"name": own})
		frappe.db.commit()

	def _take(self, *punches: Any) -> list[dict[str, Any]]:
		return ingest.take(self.agent, list(punches))

	def _held(self) -> int:
		return frappe.db.count("Punch Log", {"device_serial": ("like", f"{premises.MARK}%")})

	def test_each_punch_becomes_a_check_in_and_a_receipt_says_so(self) -> None:
		morning, evening = sent("abt1", MONDAY), sent("abt1", MONDAY + timedelta(hours=9))
		first, second = self._take(morning, evening)
		self.assertEqual(
			first,
			{
				"punch_id": morning["punch_id"],
				"outcome": "accepted",
				"known": False,
				"status": "Checked in",
				"reason": "",
				"employee": self.people[0],
				"log_type": "IN",
				"log_type_reason": "first_of_day",
				"checkin": frappe.db.get_value("Punch Log", morning["punch_id"], "employee_checkin"),
			},
		)
		self.assertEqual((second["log_type"], second["log_type_reason"]), ("OUT", "after_in"))
		self.assertEqual(frappe.db.get_value("Employee Checkin", first["checkin"], "log_type"), "IN")
		held = frappe.get_doc("Punch Log", morning["punch_id"])
		self.assertEqual((held.road, held.edge_agent, held.device), ("Agent", self.agent.name, self.device))
		self.queued.assert_not_called()

	def test_sending_twice_is_free(self) -> None:
		punches = [sent("abt1", MONDAY + timedelta(hours=hour)) for hour in range(4)]
		first = self._take(*punches)
		again = self._take(*punches, punches[0])
		self.assertEqual([receipt["known"] for receipt in first + again], [False] * 4 + [True] * 5)
		self.assertEqual([receipt["checkin"] for receipt in again[:4]], [each["checkin"] for each in first])
		self.assertEqual(self._held(), 4)
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": self.people[0]}), 4)

	def test_one_twice_in_a_batch_is_one(self) -> None:
		punch = sent("abt1", MONDAY)
		self.assertEqual([receipt["known"] for receipt in self._take(punch, punch)], [False, True])
		self.assertEqual(self._held(), 1)

	def test_a_bad_punch_sinks_no_neighbour(self) -> None:
		good = sent("abt1", MONDAY)
		bad = [
			None,
			7,
			"text",
			[],
			{},
			{**good, "punch_id": str(uuid.uuid4())},
			{**good, "punch_id": 5},
			{**good, "punch_id": good["punch_id"].upper()},
			{**good, "device_user_id": "abt2"},
			{**good, "device_user_id": ""},
			{**good, "device_user_id": "x" * 65},
			{**good, "device_user_id": 1},
			{**good, "device_serial": ""},
			{**good, "device_serial": None},
			{**good, "wall_time": "2026-03-02 08:00:00"},
			{**good, "wall_time": "2026-03-02T08:00:60"},
			{**good, "wall_time": "2026-03-02T08:00:00Z"},
			{**good, "wall_time": "0001-01-01T00:00:00"},
			{**good, "wall_time": "٢٠٢٦-03-02T08:00:00"},
			{**good, "fold": 2},
			{**good, "fold": True},
			{**good, "fold": 10**400},
			{**good, "time_zone": "Atlantis/Capital"},
			{**good, "time_zone": "../../etc/passwd"},
			{**good, "time_zone": "America"},
			{**good, "time_zone": ""},
			{**good, "verify_mode": 3},
			{**good, "raw": "x" * (64 * 1024 + 1)},
			{**good, "raw": {"a": 1}},
			{**good, "clock": "right"},
			{**good, "clock": {"read_at": "yesterday"}},
			{**good, "clock": {"read_at": "2026-03-02T10:00:00"}},
			{**good, "clock": {**CLOCK, "offset_seconds": float("nan")}},
			{**good, "clock": {**CLOCK, "offset_seconds": "0"}},
			{**good, "clock": {**CLOCK, "read_at": "9999-12-31T23:59:59-23:59"}},
		]
		for position, receipt in enumerate(self._take(*bad)):
			with self.subTest(bad=str(bad[position])[:200]):
				self.assertEqual((receipt["outcome"], receipt["reason"]), ("rejected", "bad_punch"))
				self.assertEqual(receipt["status"], "")
		self.assertEqual(self._held(), 0)
		between = self._take(bad[4], good, bad[5])
		self.assertEqual([each["outcome"] for each in between], ["rejected", "accepted", "rejected"])
		self.assertEqual(between[2]["punch_id"], bad[5]["punch_id"])

	def test_what_a_newer_agent_says_is_no_reason_to_lose_a_punch(self) -> None:
		punch = sent("abt1", MONDAY, verify_mode="iris", device_key="lunch", mood="sunny")
		self.assertEqual(self._take(punch)[0]["status"], "Checked in")
		held = frappe.get_doc("Punch Log", punch["punch_id"])
		self.assertEqual((held.verify_mode, held.device_key), ("unknown", "undefined"))

	def test_extreme_values_are_held(self) -> None:
		strange = [
			sent("\ud83d x", MONDAY, raw="\\ '\" %s \x00 \udcff 😀"),
			sent("' OR 1=1 -- %s", MONDAY),
			sent("abt1", MONDAY, clock={**CLOCK, "offset_seconds": 1e308}),
			sent("abt2", MONDAY, clock={**CLOCK, "offset_seconds": -(10**300)}),
			sent("abt3", datetime(9998, 12, 31, 23, 59, 59), clock={"read_at": None}),
			sent("abt4", datetime(2, 1, 2)),
			sent("abt5", MONDAY, clock={**CLOCK, "read_at": "2026-03-02T10:00:00.123456789Z"[:-4] + "Z"}),
			sent("abt6", MONDAY, raw="x" * 64 * 1024),
		]
		receipts = self._take(*strange)
		self.assertNotIn("", [receipt["status"] for receipt in receipts])
		self.assertEqual(
			[receipt["punch_id"] for receipt in receipts], [each["punch_id"] for each in strange]
		)
		self.assertEqual(receipts[0]["outcome"], "unmapped")
		self.assertEqual({each["status"] for each in self._take(*strange)} & {"Received", "Pending"}, set())

	def test_times_nobody_can_believe_are_held_and_quarantined(self) -> None:
		now = datetime.now(timezone.utc)
		ahead = (now + timedelta(days=3)).replace(microsecond=0, tzinfo=None)
		spelt = (now + timedelta(days=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
		cases = (
			(sent("abt1", ahead), "clock_off"),  # without a look: it shows itself that the clock is ahead
			(sent("abt2", ahead, clock={"read_at": spelt, "offset_seconds": 0}), "clock_off"),
			(sent("abt3", ahead, clock={**CLOCK, "offset_seconds": 0}), "in_the_future"),
			(sent("abt4", datetime(2001, 1, 1)), "before_time"),
			(sent("abt5", MONDAY, clock={**CLOCK, "offset_seconds": 3600, "good_until": None}), "clock_off"),
		)
		for punch, reason in cases:
			with self.subTest(punch=punch):
				receipt = self._take(punch)[0]
				self.assertEqual(
					(receipt["outcome"], receipt["status"], receipt["reason"]),
					("accepted", "Quarantined", reason),
				)
		trusted = sent("abt6", MONDAY, clock={**CLOCK, "offset_seconds": 3600})  # made before good_until
		self.assertEqual(self._take(trusted)[0]["status"], "Checked in")

	def test_terminals_of_others_are_refused_and_nothing_is_held(self) -> None:
		terminals.silent(2)  # read by the site itself
		other = agents_at_work.agent(2)
		theirs = terminals.silent(3, edge_agent=other.name)
		frappe.db.commit()
		punches = [
			sent("abt1", MONDAY, number=2),
			sent("abt1", MONDAY, number=3, device=theirs),
			sent("abt1", MONDAY, number=3, device=self.device),
			sent("abt1", MONDAY, number=4, device=self.device),  # which has another serial number
			sent("abt1", MONDAY, number=5, device="Nowhere"),
			sent("abt1", MONDAY, number=6),
		]
		for receipt in self._take(*punches):
			self.assertEqual((receipt["outcome"], receipt["reason"]), ("retry", "unknown_device"))
		self.assertEqual(self._held(), 0)

	def test_a_terminal_that_was_never_met_learns_its_serial_number(self) -> None:
		fresh = terminals.silent(2, edge_agent=self.agent.name)
		frappe.db.set_value("Device Configuration", fresh, "serial_number", None)
		frappe.db.commit()
		unknown = self._take(sent("abt1", MONDAY, number=2))[0]
		self.assertEqual(unknown["reason"], "unknown_device")
		wrong = self._take(sent("abt1", MONDAY, number=1, device=fresh))[0]
		self.assertEqual(wrong["status"], "Checked in")  # the serial number says whose it is
		self.assertEqual(self._take(sent("abt2", MONDAY, number=2, device=fresh))[0]["status"], "Checked in")
		learnt = frappe.db.get_value("Device Configuration", fresh, "serial_number")
		self.assertEqual(learnt, terminals.serial(2))
		self.assertEqual(self._take(sent("abt3", MONDAY, number=2))[0]["status"], "Checked in")

	def test_bounds_of_the_batch(self) -> None:
		self.assertEqual(self._take(), [])
		self.assertEqual(ingest.take(self.agent, None), [])
		for wrong in ("text", {}, 5, [{}] * 1001):
			self.assertRaises(BadFieldError, ingest.take, self.agent, wrong)

	def test_without_time_it_is_held_and_carried_on_later(self) -> None:
		with patch.object(ingest, "CARRY_ON_SECONDS", 0):
			receipt = self._take(sent("abt1", MONDAY))[0]
		self.assertEqual((receipt["outcome"], receipt["status"]), ("accepted", "Received"))
		self.queued.assert_called_once()

	def test_a_fault_while_carrying_on_loses_nothing(self) -> None:
		for fault in (ZeroDivisionError(), frappe.QueryDeadlockError("1213")):
			with patch.object(ingest, "settle_received", side_effect=fault):
				receipt = self._take(sent("abt1", MONDAY + timedelta(hours=len(str(fault)))))[0]
			self.assertEqual((receipt["outcome"], receipt["status"]), ("accepted", "Received"))
		self.assertEqual(self.queued.call_count, 2)

	def test_a_lost_race_is_run_again_and_a_lasting_one_is_busy(self) -> None:
		real, tries = punch_rows.insert_ignore, []

		def lose(times: int) -> Any:
			def insert(*arguments: Any) -> int:
				tries.append(1)
				if len(tries) <= times:
					raise frappe.QueryDeadlockError("1020")
				return real(*arguments)

			return patch.object(punch_rows, "insert_ignore", insert)

		with lose(2):
			self.assertEqual(self._take(sent("abt1", MONDAY))[0]["status"], "Checked in")
		tries.clear()
		with lose(1000), patch("attendance_bridge.bench.punch_log._LONGEST_PAUSE_SECONDS", 0):
			receipt = self._take(sent("abt2", MONDAY))[0]
		self.assertEqual((receipt["outcome"], receipt["reason"]), ("retry", "busy"))
		self.assertEqual(self._held(), 1)

	def test_unreadable_records_are_held_once(self) -> None:
		records = [
			{"device_serial": terminals.serial(1), "raw": "00ff", "reason": "bad_date"},
			{"device_serial": terminals.serial(9), "raw": "00ff", "reason": "bad_date"},
		]
		self.assertEqual(ingest.take_unreadable(self.agent, records), 2)
		self.assertEqual(ingest.take_unreadable(self.agent, records * 2), 0)
		devices = frappe.get_all(
			"Unreadable Record",
			filters={"device_serial": ("like", f"{premises.MARK}%")},
			pluck="device",
			order_by="device_serial",
		)
		self.assertEqual(devices, [self.device, None])
		for wrong in ("x", [5], [{"raw": 5}], [{}] * 1001):
			self.assertRaises(BadFieldError, ingest.take_unreadable, self.agent, wrong)

	def test_statements_grow_neither_with_the_log_nor_much_with_the_batch(self) -> None:
		def batch(size: int, day: int) -> list[Any]:
			return [
				sent(
					f"abt{step % 10 + 1}",
					MONDAY + timedelta(days=day, minutes=2 * (step // 10)),
					clock={
						"read_at": "2026-09-01T00:00:00Z",
						"offset_seconds": step / 1000,
					},  # no two under the same look
				)
				for step in range(size)
			]

		self._take(*batch(60, -2))  # what is learnt once
		counts = {}
		for size, day in ((100, 0), (1000, 10), (500, 20)):
			counts[size] = self._count(batch(size, day))
		grown = self._held()
		for day in range(30, 60, 2):
			self._take(*batch(1000, day))
		counts["500, later"] = self._count(batch(500, 90))
		self.assertGreater(self._held(), grown + 10_000)
		self.assertLessEqual(abs(counts["500, later"] - counts[500]), 10, counts)
		self.assertLess(counts[1000], 2 * counts[100], counts)
		print(f"\nstatements for a batch: {counts}")  # noqa: T201

	def _count(self, punches: list[Any]) -> int:
		with patch.object(frappe.db, "sql", side_effect=frappe.db.sql) as sql:
			receipts = self._take(*punches)
		self.assertEqual({receipt["status"] for receipt in receipts}, {"Checked in"})
		return sql.call_count

	def test_eight_at_once_with_the_same_punches(self) -> None:
		punches = [
			sent(f"abt{person}", MONDAY + timedelta(minutes=5 * step))
			for step in range(20)
			for person in range(1, 11)
		]
		site, faults, receipts = frappe.local.site, [], []

		def send(number: int) -> None:
			frappe.init(site=site)
			frappe.connect()
			try:
				for start in range(0, len(punches), 50):
					batch = punches[start : start + 50]
					receipts.extend(ingest.take(self.agent, batch if number % 2 else batch[::-1]))
			except Exception as error:
				faults.append(error)
			finally:
				frappe.destroy()

		threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(120)
		self.assertEqual(faults, [])
		frappe.db.rollback()
		self.assertEqual(self._held(), len(punches))
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": ("in", self.people)}), len(punches))
		self.assertEqual({receipt["outcome"] for receipt in receipts}, {"accepted"})
		self.assertEqual(len(receipts), 8 * len(punches))
		self.assertEqual(sum(not receipt["known"] for receipt in receipts), len(punches))
