"""One alert a cause, from the first look to the all-clear, and whom Frappe tells of it; on the real site."""

from __future__ import annotations

from datetime import datetime, timedelta

import frappe

from attendance_bridge.api import health as api
from attendance_bridge.bench import alert_words, alerts, devices, figures, health, jobs, moments
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.alert_case import DOCTYPE, AlertCase
from attendance_bridge.core.causes import Cause, Finding
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal

MINUTES = timedelta(minutes=1)


class TestAlerts(AlertCase):
	def test_a_dark_terminal_opens_one_alert_and_an_all_clear_ends_it(self) -> None:
		self.look(29)
		self.assertEqual(self.of("Terminal Dark"), [])
		for minutes in (31, 36, 41):
			self.look(minutes)
		(alert,) = self.of("Terminal Dark")
		self.assertEqual((alert.status, alert.subject_type), ("Open", "Device Configuration"))
		self.assertIn("41 minutes", alert.what)
		self.assertIn("Test Connection", alert.advice)
		self.assertEqual(self.mails(), [f"Terminal Dark: {self.device}"])

		self.seen(ago=-41)
		for minutes in (46, 51, 56):
			self.look(minutes)
		self.assertEqual(self.of("Terminal Dark")[0].status, "Open")  # not sure yet that it is over
		self.look(61)
		(alert,) = self.of("Terminal Dark")
		self.assertEqual((alert.status, alert.open_key), ("Cleared", None))
		self.assertEqual(
			self.mails(), [f"Terminal Dark: {self.device}", f"All-clear: Terminal Dark: {self.device}"]
		)

	def test_mail_is_queued_once_and_lies_in_the_bell(self) -> None:
		self.make_outgoing_account()
		self.look(31)
		self.look(36)
		(alert,) = self.of("Terminal Dark")
		(queued,) = frappe.get_all("Email Queue", {"reference_name": alert.name}, pluck="name")
		recipients = [row.recipient for row in frappe.get_doc("Email Queue", queued).recipients]
		self.assertEqual(recipients.count(self.manager), 1)
		self.assertIn("What to Do", frappe.get_doc("Email Queue", queued).message)
		logs = frappe.get_all("Notification Log", {"document_name": alert.name, "for_user": self.manager})
		self.assertEqual(len(logs), 1)

	def make_outgoing_account(self) -> None:
		account = frappe.get_doc(
			{
				"doctype": "Email Account",
				"email_account_name": f"{premises.MARK} outgoing",
				"email_id": "abt-outgoing@example.com",
				"enable_outgoing": 1,
				"default_outgoing": 1,
				"smtp_server": "127.0.0.1",
				"password": "none-is-asked-for",
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "Email Account", account.name, force=True)

	def test_a_flapping_terminal_is_told_of_once(self) -> None:
		minutes = 0.0
		for _round in range(5):
			self.seen(ago=-minutes)  # it answers …
			for _look in range(5):
				minutes += 5
				self.look(minutes)
			minutes += 10  # … and is dark for a while
			self.look(minutes)
			minutes += 5
			self.look(minutes)
		self.assertLessEqual(len(self.mails()), 2)
		self.assertEqual(self.mails()[0], f"Terminal Dark: {self.device}")

	def test_what_lasts_one_look_is_no_alert(self) -> None:
		self.seen(ago=0, clock_offset=600)
		self.look(1)
		self.assertEqual(self.of("Clock Off")[0].status, "Watching")
		self.seen(ago=0, clock_offset=0)
		self.look(6)
		self.assertEqual(self.of("Clock Off"), [])
		self.seen(ago=0, clock_offset=-600)
		self.look(11)
		self.look(16)
		(alert,) = self.of("Clock Off")
		self.assertEqual(alert.status, "Open")
		self.assertIn("10 minutes (it is behind)", alert.what)

	def test_how_long_a_cause_has_lasted_is_kept_from_look_to_look(self) -> None:
		self.seen(ago=0, clock_offset=600)
		for minutes in (100, 102):
			self.look(minutes)
			self.assertEqual(self.of("Clock Off")[0].status, "Watching")
		self.look(105)
		self.assertEqual(self.of("Clock Off")[0].status, "Open")

	def test_a_wrong_password_is_told_at_the_contact(self) -> None:
		terminal = HikvisionTerminal(
			HikvisionState(serial=f"{premises.MARK}HIKALERT", password="Right-1-pass")
		)
		terminal.start()
		self.addCleanup(terminal.stop)
		self.device = terminals.hikvision(terminal.port, device_user="admin", device_user_password="Wrong-1")
		frappe.db.commit()
		jobs.pull_device(self.device, "Scheduler")
		(alert,) = self.of("Wrong Password")
		self.assertEqual(alert.status, "Open")
		self.assertEqual(self.of("Terminal Dark"), [])
		self.assertNotIn("Wrong-1", alert.what + alert.advice)

	def test_of_what_explains_each_other_one_is_told(self) -> None:
		agent = frappe.get_doc({"doctype": "Edge Agent", "agent_name": f"{premises.MARK} Alerts"})
		agent.insert(ignore_permissions=True)
		long_ago = moments.to_site(self.now - 50 * MINUTES)
		frappe.db.set_value("Edge Agent", agent.name, {"last_heartbeat": long_ago, "waiting": 900})
		self.seen(ago=50, edge_agent=agent.name, road="Relayed")
		self.look(0)
		self.look(5)
		self.assertEqual([alert.status for alert in self.of("Agent Gone", agent.name)], ["Open"])
		self.assertEqual(self.of("Backlog", agent.name) + self.of("Terminal Dark"), [])

	def test_a_disk_that_is_nearly_full(self) -> None:
		agent = frappe.get_doc({"doctype": "Edge Agent", "agent_name": f"{premises.MARK} Alerts"})
		agent.insert(ignore_permissions=True)
		state = {"last_heartbeat": moments.to_site(self.now), "tells_disk": 0, "disk_free": 0}
		frappe.db.set_value("Edge Agent", agent.name, state)
		self.look(0)
		self.look(6)
		self.assertEqual(self.of("Disk Nearly Full", agent.name), [])  # it does not tell
		frappe.db.set_value("Edge Agent", agent.name, {"tells_disk": 1, "disk_free": 120})
		self.look(7)
		self.look(12)
		(alert,) = self.of("Disk Nearly Full", agent.name)
		self.assertEqual(alert.status, "Open")
		self.assertIn("120 MB", alert.what)

	def test_the_other_causes(self) -> None:
		self.seen(ago=0, records_on_device=95_000, capacity=100_000, gap=3)
		shift = premises.shift_type(
			"alerts", "08:00:00", "17:00:00", enable_auto_attendance=1, process_attendance_after="2026-01-01"
		)
		device = frappe.get_doc("Device Configuration", self.device)
		device.append("shifts", {"shift_type": shift})
		device.save()
		self.look(0)
		self.look(5)
		self.assertIn("95 % full, and takes 5000 more", self.of("Log Nearly Full")[0].what)
		self.assertIn("holds 3 punches that are not here", self.of("Punches Missing")[0].what)
		self.assertEqual(self.of("Shift Held", shift)[0].status, "Open")

	def test_every_cause_has_words(self) -> None:
		for cause in Cause:
			finding = Finding(
				cause=cause, subject="<Gate>", facts={"minutes": 5, "count": 3, "seconds": 9, "days": None}
			)
			self.assertNotIn("<", alert_words.sentence(finding))
			self.assertNotIn("{", alert_words.sentence(finding))
			self.assertTrue(alert_words.advice(finding))
			self.assertTrue(alert_words.advice(Finding(cause=cause, subject="")))

	def test_a_broken_template_breaks_no_look(self) -> None:
		broken = frappe.get_doc(
			{
				"doctype": "Notification",
				"name": f"{premises.MARK} broken",
				"document_type": DOCTYPE,
				"event": "Method",
				"method": alerts.OPENED,
				"subject": "x",
				"message": "x",
				"recipients": [{"receiver_by_role": "HR Manager"}],
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "Notification", broken.name, force=True)
		broken.db_set("condition", "doc.nothing_of_the_kind > 3")
		self.look(31)
		self.look(36)
		self.assertEqual(self.of("Terminal Dark")[0].status, "Open")

	def test_the_daily_summary(self) -> None:
		counts = figures.statuses_of(moments.now().date() - timedelta(days=1))
		yesterday = datetime.combine(moments.now().date() - timedelta(days=1), datetime.min.time())
		PunchLog(self.device).accept(
			terminals.page(terminals.punch("nobody-7", yesterday.replace(hour=8))),
			terminals.serial(),
			terminals.right_clock(self.now),
		)
		jobs.carry_on()
		self.look(31)
		self.look(36)
		lines = alerts.summary()
		self.assertIn(f"{sum(counts.values()) + 1} punches", lines[0])
		self.assertIn(f"Unmapped: {counts.get('Unmapped', 0) + 1}", lines[0])
		self.assertTrue(any(self.device in line for line in lines[1:]), lines)
		before = frappe.db.count("Communication", {"reference_doctype": "Attendance Bridge Settings"})
		alerts.send_summary()
		self.assertEqual(
			frappe.db.count("Communication", {"reference_doctype": "Attendance Bridge Settings"}), before + 1
		)


class TestHealth(AlertCase):
	def test_how_a_terminal_is(self) -> None:
		self.seen(ago=2, records_on_device=60, capacity=100, firmware="V1", failures=2, clock_offset=600)
		for status, code, days in (("Failed", "timeout", 0), ("Complete", None, 0), ("Failed", "timeout", 3)):
			log = frappe.get_doc(
				{
					"doctype": "Device Sync Log",
					"device": self.device,
					"trigger": "Scheduler",
					"status": status,
				}
			).insert()
			at = moments.now() - timedelta(days=days)
			frappe.db.set_value("Device Sync Log", log.name, {"creation": at, "error_code": code})
		told = health.of_device(self.device)
		self.assertTrue(told["online"])
		self.assertEqual(told["errors"]["day"], {"readings": 2, "failures": 1})
		self.assertEqual(told["errors"]["week"], {"readings": 3, "failures": 2})
		self.assertEqual((told["errors"]["most"], told["circuit"]["state"]), ("timeout", "half_open"))
		self.assertEqual((told["log"]["percent"], told["log"]["left"]), (60, 40))
		self.assertFalse(told["clock"]["right"])
		self.assertEqual([finding["cause"] for finding in told["findings"]], ["clock_off"])
		self.seen(ago=200)
		self.assertFalse(health.of_device(self.device)["online"])

	def test_a_site_from_before_the_limits_can_save_its_settings(self) -> None:
		fields = ("dark_after", "quiet_hours", "capacity_limit", "largest_correction")
		frappe.db.delete("Singles", {"doctype": devices.SETTINGS, "field": ("in", fields)})
		frappe.clear_document_cache(devices.SETTINGS, devices.SETTINGS)
		settings = frappe.get_doc(devices.SETTINGS)
		settings.save()
		self.assertEqual([settings.get(field) for field in fields], [30, 6, 90, 90])

	def test_who_may_ask(self) -> None:
		for role, allowed in (("HR User", True), ("System Manager", True), ("Employee", False)):
			frappe.set_user(premises.user(f"asks-{frappe.scrub(role)}", role))
			if allowed:
				self.assertIn("online", api.device(self.device))
			else:
				self.assertRaises(frappe.PermissionError, api.device, self.device)
