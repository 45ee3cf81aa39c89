"""What HR does about punches that need a hand: asked as each role, on the real site."""

from __future__ import annotations

from datetime import datetime, timedelta

import frappe

from attendance_bridge.api import figures as figures_api
from attendance_bridge.api import punches as api
from attendance_bridge.bench import figures, held_shifts, jobs, moments
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.test_permissions import _user

MONDAY = datetime(2026, 3, 2)
FUTURE = datetime(2099, 1, 1, 8)


class ReviewCase(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.addCleanup(frappe.set_user, "Administrator")
		self.employee = premises.employee(911, device_user_id="91101")
		self.devices = [terminals.silent(1), terminals.silent(2, user_id_prefix="B-")]
		frappe.db.commit()

	def hold(self, user_id: str, at: datetime, *, number: int = 1) -> str:
		punch = terminals.punch(user_id, at, number=number)
		PunchLog(self.devices[number - 1]).accept(
			terminals.page(punch), terminals.serial(number), terminals.right_clock(moments.utc_now())
		)
		jobs.carry_on()
		return frappe.get_all("Punch Log", {"device_user_id": user_id, "occurred_at": at}, pluck="name")[0]

	def status(self, punch: str) -> str:
		return frappe.db.get_value("Punch Log", punch, "status")


class TestReviewing(ReviewCase):
	def test_a_rejected_punch_is_tried_again(self) -> None:
		frappe.db.set_value("Employee", self.employee, "status", "Inactive")
		punch = self.hold("91101", MONDAY)
		self.assertEqual(self.status(punch), "Rejected")
		frappe.db.set_value("Employee", self.employee, "status", "Active")
		frappe.set_user(_user("hr", "HR User"))
		self.assertEqual(api.retry([punch]), {"punches": 1})
		jobs.carry_on()
		self.assertEqual(self.status(punch), "Checked in")
		self.assertEqual(api.retry([punch]), {"punches": 0})
		(trace,) = frappe.get_all(
			"Comment",
			{"reference_doctype": "Punch Log", "reference_name": punch, "owner": frappe.session.user},
			["content", "comment_type"],
		)
		self.assertEqual((trace.content, trace.comment_type), ("asked for another try", "Info"))

	def test_a_time_is_believed_and_the_raw_punch_stays(self) -> None:
		punch = self.hold("91101", FUTURE)
		raw = ("raw", "wall_time", "device_user_id", "device_serial", "occurred_utc")
		before = frappe.db.get_value("Punch Log", punch, raw)
		self.assertEqual(self.status(punch), "Quarantined")
		frappe.set_user(_user("hr", "HR Manager"))
		api.approve_time(f'["{punch}"]')
		jobs.carry_on()
		self.assertEqual(self.status(punch), "Checked in")
		self.assertEqual(frappe.db.get_value("Punch Log", punch, raw), before)

	def test_ignored_with_a_reason_and_taken_back(self) -> None:
		punch = self.hold("nobody", MONDAY)
		frappe.set_user(_user("hr", "HR User"))
		self.assertRaises(frappe.ValidationError, api.ignore, [punch], "  ")
		self.assertRaises(frappe.ValidationError, api.ignore, [punch], "x" * 121)
		frappe.clear_messages()
		self.assertEqual(api.ignore([punch], "a <b>test"), {"punches": 1})
		self.assertEqual(
			frappe.db.get_value("Punch Log", punch, ("status", "status_reason", "log_type")),
			("Ignored", "set_aside:a <b>test", None),
		)
		content = frappe.db.get_value(
			"Comment", {"reference_name": punch, "owner": frappe.session.user}, "content"
		)
		self.assertEqual(content, "ignored this punch: a &lt;b&gt;test")
		jobs.carry_on()
		self.assertEqual(self.status(punch), "Ignored")
		api.take_back([punch])
		jobs.carry_on()
		self.assertEqual(self.status(punch), "Unmapped")

	def test_what_became_a_checkin_is_beyond_these_acts(self) -> None:
		punch = self.hold("91101", MONDAY)
		frappe.set_user(_user("hr", "HR Manager"))
		for act in (api.retry, api.approve_time, api.take_back):
			self.assertEqual(act([punch]), {"punches": 0})
		self.assertEqual(api.ignore([punch], "no"), {"punches": 0})
		self.assertEqual(self.status(punch), "Checked in")

	def test_an_id_is_ignored_byte_for_byte_and_with_its_prefix(self) -> None:
		ours = self.hold("x7", MONDAY, number=2)
		others = [self.hold("X7", MONDAY, number=2), self.hold("x7", MONDAY)]
		self.assertEqual(api.ignore_id("B-x7", "a guest"), {"punches": 1})
		self.assertEqual([self.status(each) for each in (ours, *others)], ["Ignored", "Unmapped", "Unmapped"])

	def test_only_hr_acts(self) -> None:
		punch = self.hold("nobody", MONDAY)
		for role in ("System Manager", "Employee", "Sales User"):
			frappe.set_user(_user("other", role))
			with self.subTest(role=role):
				for act in (api.retry, api.approve_time, api.take_back):
					self.assertRaises(frappe.PermissionError, act, [punch])
				self.assertRaises(frappe.PermissionError, api.ignore, [punch], "why")
				self.assertRaises(frappe.PermissionError, api.ignore_id, "nobody", "why")
				self.assertRaises(frappe.PermissionError, api.map_employee, "nobody", self.employee)
		self.assertEqual(self.status(punch), "Unmapped")

	def test_lists_of_punches_are_bounded(self) -> None:
		frappe.set_user(_user("hr", "HR User"))
		for punches in ("[]", "nothing", '{"a": 1}', "[1]", ["no such punch"] * 1001):
			self.assertRaises(frappe.ValidationError, api.retry, punches)
		self.assertRaises(frappe.PermissionError, api.retry, ["no such punch"])


class TestUnmappedPage(ReviewCase):
	def test_a_system_manager_reads_and_hr_is_told_who_it_may_be(self) -> None:
		self.hold("091101", MONDAY)
		frappe.set_user(_user("system", "System Manager"))
		answer = api.unmapped_ids()
		self.assertFalse(answer["may_map"])
		(found,) = (each for each in answer["ids"] if each["device_user_id"] == "091101")
		self.assertEqual((found["punches"], found["suggestions"]), (1, []))
		frappe.set_user(_user("hr", "HR User"))
		(found,) = (each for each in api.unmapped_ids()["ids"] if each["device_user_id"] == "091101")
		self.assertEqual(found["suggestions"][0]["employee"], self.employee)

	def test_hr_maps(self) -> None:
		punch = self.hold("new-one", MONDAY)
		other = premises.employee(912)
		frappe.set_user(_user("hr", "HR User"))
		self.assertEqual(api.map_employee("new-one", other)["punches"], 1)
		frappe.set_user("Administrator")
		jobs.carry_on()
		self.assertEqual(self.status(punch), "Checked in")

	def test_others_do_not_see_it(self) -> None:
		for role in ("Employee", "Sales User"):
			frappe.set_user(_user("other", role))
			self.assertRaises(frappe.PermissionError, api.unmapped_ids)
			self.assertRaises(frappe.PermissionError, figures_api.unmapped_ids)


class TestDryRun(ReviewCase):
	def _run(self, **changed: object) -> dict:
		return api.dry_run("2026-03-01", "2026-03-05", **changed)

	def test_nothing_changes_under_the_same_rules(self) -> None:
		for hours in (8, 12, 17):
			self.hold("91101", MONDAY + timedelta(hours=hours))
		answer = self._run(debounce=60)
		self.assertEqual((answer["punches"], answer["changed"], answer["rows"]), (3, 0, []))

	def test_another_role_and_nothing_is_written(self) -> None:
		for hours in (8, 17):
			self.hold("91101", MONDAY + timedelta(hours=hours))
		before = frappe.get_all("Punch Log", {"device": self.devices[0]}, ["*"])
		frappe.set_user(_user("hr", "HR Manager"))
		answer = self._run(device=self.devices[0], device_role="In")
		self.assertEqual((answer["changed"], answer["counts"]), (1, [("OUT", "IN", 1)]))
		(row,) = answer["rows"]
		self.assertEqual(
			(row["before"]["reason"], row["after"]["reason"], row["before"]["employee"]),
			("after_in", "device_role", self.employee),
		)
		self.assertEqual(frappe.get_all("Punch Log", {"device": self.devices[0]}, ["*"]), before)

	def test_a_prefix_and_a_debounce(self) -> None:
		self.hold("91101", MONDAY + timedelta(hours=8))
		self.hold("91101", MONDAY + timedelta(hours=8, minutes=2))
		prefixed = self._run(device=self.devices[0], user_id_prefix="Z-")
		self.assertEqual(
			{tuple(count[:2]) for count in prefixed["counts"]}, {("IN", "Unmapped"), ("OUT", "Unmapped")}
		)
		self.assertEqual(self._run(debounce=300)["counts"], [("OUT", "Duplicate", 1)])

	def test_bounds_and_rights(self) -> None:
		self.assertRaises(frappe.ValidationError, self._run, debounce=100000)
		self.assertRaises(frappe.ValidationError, self._run, device=self.devices[0], user_id_prefix="x" * 33)
		self.assertRaises(frappe.ValidationError, api.dry_run, "2026-01-01", "2026-12-31")
		self.assertRaises(frappe.ValidationError, api.dry_run, "2026-01-02", "2026-01-01")
		frappe.set_user(_user("hr", "HR User"))
		self.assertRaises(frappe.PermissionError, self._run)


class TestFigures(ReviewCase):
	def test_devices_online(self) -> None:
		before = figures.devices_online()
		frappe.db.set_value("Device Configuration", self.devices[0], "last_contact", moments.now())
		self.assertEqual(figures.devices_online(), before + 1)
		self.assertEqual(figures.devices_online(moments.utc_now() + timedelta(days=3)), 0)
		frappe.db.set_value("Device Configuration", self.devices[0], "last_error_code", "timeout")
		self.assertEqual(figures.devices_online(), before)

	def test_unmapped_ids_are_counted_as_the_page_shows_them(self) -> None:
		before = figures.unmapped_ids()
		for number in (1, 2):
			self.hold("x7", MONDAY, number=number)
			self.hold("X7", MONDAY, number=number)
		self.assertEqual(figures.unmapped_ids(), before + 4)
		self.assertEqual(api.unmapped_ids()["total"], before + 4)

	def test_days_and_hours(self) -> None:
		now = moments.now().replace(hour=0, minute=0, second=0, microsecond=0)
		before = figures.punches_today()
		self.hold("91101", now)
		self.assertEqual(figures.punches_today(), before + 1)
		checked_in = figures.punches_by_day(7)["datasets"][0]["values"]
		self.assertEqual((len(checked_in), checked_in[-1] >= 1), (7, True))
		self.assertGreaterEqual(figures.checkins_by_hour(now.date())["datasets"][0]["values"][0], 1)
		self.assertEqual(len(figures.punches_by_day(10_000)["labels"]), figures.MOST_DAYS)

	def test_a_shift_is_held_by_a_terminal_that_was_not_read(self) -> None:
		shift = premises.shift_type("Held", "08:00:00", "17:00:00", enable_auto_attendance=1)
		frappe.db.set_value("Shift Type", shift, "last_sync_of_checkin", MONDAY)
		device = terminals.silent(3, shifts=[shift])
		(held,) = (each for each in held_shifts.held() if each.shift == shift)
		self.assertEqual((held.device, held.until), (device, None))
		self.assertIn(device, figures_api.why_held(shift))
		frappe.db.set_value("Device Configuration", device, "watermark", moments.now())
		self.assertEqual(figures_api.why_held(shift), "")
		frappe.set_user(_user("sales", "Sales User"))
		self.assertRaises(frappe.PermissionError, figures_api.why_held, shift)
