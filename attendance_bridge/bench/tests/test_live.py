"""The live board: what each role sees of it, and what goes out in real time."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils.background_jobs import get_redis_connection_without_auth

from attendance_bridge.api import live as api
from attendance_bridge.bench import alerts, jobs, live, moments, news
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.test_permissions import _department
from attendance_bridge.core.punch import DeviceKey

IN, OUT = DeviceKey.CHECK_IN, DeviceKey.CHECK_OUT


class TestLive(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.addCleanup(frappe.set_user, "Administrator")
		self.head = premises.user("head", "Leave Approver", "Employee")
		self.worker = premises.user("worker", "Employee")
		department = _department("Live", approver=self.head)
		people = {
			"93001": {"user_id": self.worker, "department": department},
			"93002": {"department": department},
			"93003": {},
		}
		for number, (user_id, values) in enumerate(people.items(), start=931):
			premises.employee(number, device_user_id=user_id, **values)
		self.device = terminals.silent(1)
		frappe.db.set_value("Device Configuration", self.device, "last_contact", moments.now())
		frappe.db.commit()
		self.now = moments.utc_now()

	def punch(self, user_id: str, minutes_ago: int, key: DeviceKey = IN) -> str:
		at = (self.now - timedelta(minutes=minutes_ago)).astimezone(terminals.ZONE)
		punch = terminals.punch(user_id, at.replace(tzinfo=None, microsecond=0), key=key)
		PunchLog(self.device).accept(
			terminals.page(punch), terminals.serial(), terminals.right_clock(moments.utc_now())
		)
		return str(punch.punch_id)

	def board(self, user: str) -> dict[str, Any]:
		frappe.set_user(user)
		try:
			return api.board()
		finally:
			frappe.set_user("Administrator")

	def test_each_sees_what_the_punch_log_shows_them(self) -> None:
		punches = {user_id: self.punch(user_id, 3) for user_id in ("93001", "93002", "93003", "nobody")}
		jobs.carry_on()
		for user, ids in (
			(premises.user("hr-user", "HR User"), ("93001", "93002", "93003", "nobody")),
			(self.head, ("93001", "93002")),
			(self.worker, ("93001",)),
		):
			board = self.board(user)
			seen = {punch["name"] for punch in board["punches"]} & set(punches.values())
			self.assertEqual(seen, {punches[user_id] for user_id in ids})
		self.assertEqual(sum(self.board(self.worker)["today"].values()), 1)
		self.assertEqual(
			[each["name"] for each in self.board(self.worker)["present"]["people"]], ["Worker 931"]
		)
		frappe.set_user(premises.user("sales", "Sales User"))
		self.assertRaises(frappe.PermissionError, api.board)

	def test_terminals_and_alerts_are_for_those_who_may_read_them(self) -> None:
		for minutes in (120, 125):
			alerts.look(self.now + timedelta(minutes=minutes))
		frappe.db.commit()
		board = self.board(premises.user("hr-manager", "HR Manager"))
		(device,) = [each for each in board["devices"] if each["name"] == self.device]
		self.assertTrue(device["online"])
		self.assertTrue(any(self.device in alert["what"] for alert in board["alerts"]))
		for user in (self.head, self.worker):
			board = self.board(user)
			self.assertEqual((board["devices"], board["alerts"]), (None, None))

	def test_who_is_in(self) -> None:
		self.punch("93001", 30)
		self.punch("93002", 40)
		self.punch("93002", 10, OUT)
		self.punch("93003", 20)
		jobs.carry_on()
		present = live.board(self.now)["present"]
		names = [each["name"] for each in present["people"] if each["name"].startswith("Worker 93")]
		self.assertEqual(names, ["Worker 931", "Worker 933"])  # the longest there first

	def test_whoever_was_renamed_in_between_is_one_person(self) -> None:
		came = self.punch("93002", 40)
		self.punch("93002", 10, OUT)
		jobs.carry_on()
		frappe.db.set_value("Punch Log", came, "employee_name", "Former Name")
		names = [each["name"] for each in live.board(self.now)["present"]["people"]]
		self.assertFalse({"Worker 932", "Former Name"} & set(names))

	def test_what_goes_out_names_nobody_and_stays_in_its_room(self) -> None:
		heard = get_redis_connection_without_auth().pubsub(ignore_subscribe_messages=True)
		heard.subscribe("events")
		self.addCleanup(heard.close)
		time.sleep(0.2)
		self.punch("93001", 3)
		jobs.carry_on()
		told: list[dict[str, Any]] = []
		until = time.monotonic() + 5
		while time.monotonic() < until and len(told) < 2:
			message = heard.get_message(timeout=0.5)
			event = json.loads(message["data"]) if message else {}
			if (event.get("event"), event.get("namespace")) == (news.EVENT, frappe.local.site):
				told.append(event)
		self.assertTrue(told)
		for event in told:
			self.assertIn(event["room"], {f"doctype:{what.value}" for what in news.What})
			self.assertEqual(list(event["message"]), ["what"])
