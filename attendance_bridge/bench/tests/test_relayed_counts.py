"""Relayed terminals: how many punches they hold, and how their readings went, as heartbeats tell it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import frappe

from attendance_bridge.attendance_bridge.report.sync_statistics import sync_statistics
from attendance_bridge.bench import agents, clock_guard, health, heartbeat, moments, relayed_counts
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.sent_fields import BadFieldError
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, premises, terminals

DEVICE = "Device Configuration"


class RelayedCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		agents_at_work.clear()
		cls.addClassCleanup(agents_at_work.clear)
		cls.addClassCleanup(premises.clear)
		document = agents_at_work.agent()
		cls.agent = agents.Agent(name=document.name)
		cls.device = terminals.silent(1, edge_agent=document.name)
		frappe.db.commit()

	def setUp(self) -> None:
		fields = ("count_wish", "counted_at", "gap_since", "last_pull", "last_error_code", "open_until")
		clean = {**dict.fromkeys(fields), "count_there": 0, "count_here": 0, "gap": 0, "failures": 0}
		frappe.db.set_value(DEVICE, self.device, clean)
		for doctype in ("Punch Log", "Device Sync Log"):
			frappe.db.delete(doctype, {"device": self.device})
		frappe.db.commit()

	def beat(self, waiting: int = 0, revision: str = "", **facts: Any) -> dict[str, Any]:
		told = {"name": self.device, "serial": terminals.serial(1), **facts}
		return heartbeat.take(self.agent, {"waiting": waiting, "revision": revision, "devices": [told]})

	def shown(self, *fields: str) -> tuple[Any, ...]:
		return tuple(frappe.db.get_value(DEVICE, self.device, ("name", *fields))[1:])


class TestCounts(RelayedCase):
	def hold(self, *hours: int, days_ago: int = 1) -> None:
		day = datetime.combine(moments.now().date() - timedelta(days=days_ago), datetime.min.time())
		punches = [terminals.punch("7", day + timedelta(hours=hour)) for hour in hours]
		PunchLog(self.device, road="Agent").accept(terminals.page(*punches), terminals.serial(1), None)

	def wish(self) -> dict[str, Any]:
		(wish,) = self.beat()["counts"]
		return wish

	def answer(self, there: dict[int, int], **facts: Any) -> dict[str, Any]:
		"""By days, counted from the last one; all others hold none."""
		wish = self.wish()
		last = len(wish["spans"]) - 1
		spans = [{"there": there.get(last - position, 0)} for position in range(last + 1)]
		return {"token": wish["token"], "spans": spans, "total": None, **facts}

	def test_what_is_missing_is_read_again_and_then_unexplained(self) -> None:
		self.hold(8, 17)
		relayed_counts.ask()
		self.assertEqual(len(self.wish()["spans"]), 14)
		self.assertFalse(self.wish()["again"])
		self.beat(counted=self.answer({0: 5}))
		self.assertEqual(self.shown("count_there", "count_here", "gap"), (5, 2, 0))
		again = self.wish()
		self.assertTrue(again["again"])
		self.assertEqual(len(again["spans"]), 1)  # the day in question
		self.hold(9)  # one more came of it
		self.beat(counted=self.answer({0: 5}, read_again=3))
		self.assertEqual(self.shown("count_there", "count_here", "gap"), (5, 3, 2))
		self.assertEqual(self.beat()["counts"], [])
		# The next night it is all here.
		self.hold(10, 11)
		relayed_counts.ask()
		self.beat(counted=self.answer({0: 5}))
		self.assertEqual(self.shown("count_there", "count_here", "gap", "count_wish"), (5, 5, 0, None))

	def test_a_terminal_that_gave_all_it_holds_misses_nothing(self) -> None:
		"""One that cannot count by days says its total, and may hold one punch twice."""
		self.hold(8)
		relayed_counts.ask()
		self.beat(counted={"token": self.wish()["token"], "total": 2, "spans": []})
		self.assertTrue(self.wish()["again"])
		self.beat(counted={"token": self.wish()["token"], "total": 2, "read_again": 2})
		self.assertEqual(self.shown("count_there", "count_here", "gap", "count_wish"), (2, 1, 0, None))

	def test_one_that_does_not_say_is_not_said_to_hold_nothing(self) -> None:
		self.hold(8)
		relayed_counts.ask()
		answer = self.answer({})
		answer["spans"] = [{"there": None} for _span in answer["spans"]]
		self.beat(counted=answer)
		self.assertEqual(self.shown("counted_at", "count_wish"), (None, None))

	def test_nothing_is_compared_while_punches_wait_at_the_agent(self) -> None:
		relayed_counts.ask()
		counted = self.answer({0: 5})
		self.beat(waiting=3, counted=counted)
		self.assertIsNone(self.shown("counted_at")[0])
		self.beat(counted={**counted, "token": "another"})
		self.assertIsNone(self.shown("counted_at")[0])
		self.beat(counted=counted)
		self.assertIsNotNone(self.shown("counted_at")[0])

	def test_what_is_told_is_bounded(self) -> None:
		relayed_counts.ask()
		token = self.wish()["token"]
		for counted in ("x", {"spans": "x"}, {"spans": [{}] * 33}, {"total": "many"}):
			with self.subTest(counted=str(counted)[:30]), self.assertRaises(BadFieldError):
				self.beat(counted=counted)
		self.beat(counted={"token": token, "total": 10**15, "spans": []})
		self.assertEqual(self.shown("count_there")[0], 2**31 - 1)


class TestReports(RelayedCase):
	def setUp(self) -> None:
		super().setUp()
		self.began = datetime.now(timezone.utc) - timedelta(hours=1)

	def at(self, minutes: float) -> str:
		moment = self.began + timedelta(minutes=minutes)
		return f"{moment.replace(tzinfo=None).isoformat()}Z"

	def failed(self, minutes: float, failures: int, code: str = "timeout") -> dict[str, Any]:
		return {"code": code, "at": self.at(minutes), "failures": failures, "open_until": None}

	def test_readings_of_an_agent_are_counted_like_others(self) -> None:
		told: list[dict[str, Any]] = [
			{"last_pull": self.at(0)},
			{"last_pull": self.at(0)},  # nothing was read since
			{"last_pull": self.at(5)},
			{"last_pull": self.at(5), "error": self.failed(10, 1)},
			{"last_pull": self.at(5), "error": self.failed(10, 1)},
			{"last_pull": self.at(5), "error": self.failed(15, 2)},
			{"last_pull": self.at(20)},
		]
		for facts in told:
			self.beat(**facts)
		budget = health.errors(self.device, moments.utc_now())
		self.assertEqual(budget["day"], {"readings": 5, "failures": 2})
		self.assertEqual(budget["most"], "timeout")
		today = str(moments.now().date() - timedelta(days=1)), str(moments.now().date())
		found = sync_statistics.execute({"from_date": today[0], "to_date": today[1], "device": self.device})
		(row,) = found[1]
		self.assertEqual((row["runs"], row["failed"]), (5, 2))

	def test_a_look_by_a_former_time_zone_is_passed_over(self) -> None:
		clock_guard.forget(self.device)
		revision = self.beat()["revision"]
		look = {"last_contact": self.at(61), "clock_offset_seconds": -5400.0, "clock_good_until": self.at(5)}
		self.beat(revision="of before", **look)
		self.assertEqual(self.shown("clock_offset", "clock_good_until"), (0, None))
		self.beat(revision=revision, **{**look, "last_contact": self.at(2)})  # of before it was forgotten
		self.assertEqual(self.shown("clock_offset")[0], 0)
		frappe.db.set_value(DEVICE, self.device, "clock_read_at", None)
		self.beat(revision=revision, **look)
		self.assertEqual(self.shown("clock_offset")[0], -5400)

	def test_what_somebody_asked_for_has_one_row(self) -> None:
		frappe.db.set_value(DEVICE, self.device, "read_wanted_at", moments.now() - timedelta(hours=1))
		self.beat(last_pull=self.at(30))
		self.assertEqual(frappe.db.count("Device Sync Log", {"device": self.device}), 0)
		frappe.db.set_value(DEVICE, self.device, "read_wanted_at", None)
