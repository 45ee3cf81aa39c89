"""Jobs on the real site: what goes wrong with a terminal is written down, and terminals are left alone."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import background, conversation, devices, gathering, jobs, moments, sync_runs
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs

MONDAY = datetime(2026, 3, 2)


class TestJobs(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.state = HikvisionState(serial=f"{premises.MARK}HIKJOBS")
		self.terminal = HikvisionTerminal(self.state)
		self.terminal.start()
		self.addCleanup(self.terminal.stop)
		self.device = terminals.hikvision(self.terminal.port)
		frappe.db.commit()

	def _pull(self, wish: str | None = None) -> Any:
		return frappe.get_doc("Device Sync Log", jobs.pull_device(self.device, "Fetch Check-in", wish))

	def _state(self, field: str) -> Any:
		return frappe.db.get_value("Device Configuration", self.device, field)

	def test_a_wrong_password_is_tried_once(self) -> None:
		document = frappe.get_doc("Device Configuration", self.device)
		document.device_user_password = "wrong"
		document.save()
		frappe.db.commit()
		self.assertEqual(self._pull().error_code, "auth_failed")
		self.assertGreater(self._state("open_until"), moments.now() + timedelta(minutes=20))
		tried = self.state.counters.credentialed_401
		self.assertEqual(self._pull().error_code, "auth_failed")
		self.assertEqual(jobs.reconcile_device(self.device), None)
		self.assertEqual(self.state.counters.credentialed_401, tried)
		self.assertNotIn(self.device, devices.due(moments.utc_now()))

	def test_a_terminal_that_is_switched_off_is_said_so(self) -> None:
		self.terminal.stop()
		log = self._pull()
		self.assertEqual((log.status, log.error_code), ("Failed", "unreachable"))
		self.assertIn("127.0.0.1", log.error)
		self.assertIsNone(self._state("watermark"))

	def test_another_terminal_at_the_address_is_refused(self) -> None:
		self._pull()
		self.state.serial = f"{premises.MARK}ANOTHER"
		verbs.punch(self.state, "1")
		self.assertEqual(self._pull().error_code, "wrong_device")
		self.assertFalse(frappe.db.exists("Punch Log", {"device": self.device}))

	def test_a_wrong_clock_earns_no_watermark(self) -> None:
		verbs.set_fault(self.state, "wrong-clock")
		verbs.punch(self.state, "1")
		log = self._pull()
		self.assertEqual((log.status, log.new, log.quarantined), ("Complete", 1, 1))
		self.assertIsNone(self._state("watermark"))
		self.assertAlmostEqual(self._state("clock_offset"), 3600, delta=5)

	def test_a_run_can_be_stopped_between_pages(self) -> None:
		for second in range(90):
			verbs.punch(
				self.state, str(second % 7 + 1), at=moments.utc_now() - timedelta(seconds=3000 - 30 * second)
			)
		right = sync_runs.SyncRun.on_page

		def stop_after_first(run: Any, page: Any, report: Any) -> None:
			right(run, page, report)
			frappe.db.set_value("Device Sync Log", run.name, "status", "Stopped")

		with (
			patch.object(gathering, "ENOUGH_PUNCHES", 1),
			patch.object(sync_runs.SyncRun, "on_page", stop_after_first),
		):
			log = self._pull()
		self.assertEqual(log.status, "Stopped")
		self.assertLess(log.new, 90)
		self.assertGreater(log.new, 0)
		self.assertIsNone(self._state("watermark"))
		self.assertEqual(self._pull().new, 90 - log.new)

	def test_the_caller_sees_the_progress_and_nobody_else(self) -> None:
		verbs.punch(self.state, "1")
		with patch.object(frappe, "publish_realtime") as published:
			log = self._pull(terminals.wish(self.device, user="Administrator"))
		calls = [call for call in published.call_args_list if call.args[0] == sync_runs.PROGRESS_EVENT]
		self.assertEqual({call.kwargs["user"] for call in calls}, {"Administrator"})
		self.assertEqual(calls[0].args[1]["stage"], "reading")
		self.assertEqual(calls[-1].args[1] | {"status": "Complete"}, calls[-1].args[1])
		self.assertEqual({call.args[1]["sync_log"] for call in calls}, {log.name})

	def test_a_fault_of_ours_ends_the_run_and_is_raised(self) -> None:
		with (
			patch.object(jobs, "carry_on", side_effect=ZeroDivisionError),
			self.assertRaises(ZeroDivisionError),
		):
			verbs.punch(self.state, "1")
			self._pull()
		log = frappe.get_last_doc("Device Sync Log", filters={"device": self.device})
		self.assertEqual((log.status, log.error_code, log.new), ("Failed", sync_runs.INTERNAL_ERROR, 1))
		self.assertIn("Error Log", log.error)

	def test_tick_queues_what_is_due_once_and_what_a_lost_job_left(self) -> None:
		other = terminals.silent(1, enabled=0)
		waiting = terminals.punch("nobody", MONDAY)
		PunchLog(other).accept(terminals.page(waiting), terminals.serial(), None)
		lost = sync_runs.SyncRun.begin(self.device, "Scheduler").name
		frappe.db.set_value("Device Sync Log", lost, "creation", moments.now() - timedelta(hours=3))
		with patch.object(frappe, "enqueue") as enqueue:
			jobs.tick()
		queued = {call.kwargs["job_id"] for call in enqueue.call_args_list}
		self.assertIn(f"attendance_bridge:pull:{self.device}", queued)
		self.assertIn("attendance_bridge:carry_on", queued)
		self.assertNotIn(f"attendance_bridge:pull:{other}", queued)
		self.assertTrue(all(call.kwargs["deduplicate"] for call in enqueue.call_args_list))
		code, words = frappe.db.get_value("Device Sync Log", lost, ("error_code", "error"))
		self.assertEqual(code, sync_runs.INTERRUPTED)
		self.assertIn("cut off", words)
		jobs.carry_on()
		self._pull()
		with patch.object(frappe, "enqueue") as enqueue:
			jobs.tick()
		self.assertNotIn(self.device, [call.kwargs.get("device") for call in enqueue.call_args_list])

	def test_a_pull_that_is_there_costs_no_look_for_gaps(self) -> None:
		pull = f"attendance_bridge:pull:{self.device}"
		with (
			patch.object(background, "is_job_enqueued", side_effect=lambda job: job == pull),
			patch.object(frappe, "enqueue") as enqueue,
		):
			jobs.reconcile()
		queued = [call for call in enqueue.call_args_list if call.kwargs["device"] == self.device]
		self.assertEqual(
			[call.kwargs["job_id"] for call in queued], [f"attendance_bridge:reconcile:{self.device}"]
		)
		reading = threading.Event()

		def read_for_a_while() -> None:
			with conversation.alone_with(self.device):
				reading.set()
				time.sleep(1)

		site = frappe.local.site

		def another_job() -> None:
			frappe.init(site=site)
			frappe.connect()
			read_for_a_while()
			frappe.destroy()

		reader = threading.Thread(target=another_job)
		reader.start()
		self.assertTrue(reading.wait(20))
		jobs.reconcile_device(self.device)
		reader.join(20)
		self.assertIsNotNone(self._state("last_contact"))

	def test_a_queued_run_brings_its_own_range(self) -> None:
		today = (
			moments.utc_now().astimezone(terminals.ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
		)
		for days in (3, 2, 1):
			verbs.punch(self.state, "1", at=today - timedelta(days=days) + timedelta(hours=9))
		first, last = (today - timedelta(days=2)), (today - timedelta(days=1))
		wish = terminals.wish(self.device, (first.replace(tzinfo=None), last.replace(tzinfo=None)))
		log = self._pull(wish)
		self.assertEqual(log.name, wish)
		self.assertEqual((log.status, log.new), ("Complete", 1))
		self.assertIsNone(self._state("watermark"))
