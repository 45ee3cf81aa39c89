"""When a terminal is due, who it is, and what is kept of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import frappe

from attendance_bridge.bench import devices, moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests.test_device_configuration import hikvision, zkteco
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.lockout import AFTER_REFUSED_PASSWORD

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
INFO = DeviceInfo(serial="TEST-A", model="M", firmware="F", punches_held=5, punch_capacity=2**40)


class TestDevices(IntegrationTestCase):
	def setUp(self) -> None:
		self.name = hikvision(device_role="In", user_id_prefix="N").insert().name

	def tearDown(self) -> None:
		frappe.db.rollback()

	def _state(self, *fields: str) -> frappe._dict:
		return frappe.db.get_value("Device Configuration", self.name, fields, as_dict=True)

	def _set(self, **values: object) -> None:
		frappe.db.set_value("Device Configuration", self.name, values)

	def test_is_due_when_its_interval_is_over(self) -> None:
		site_now = moments.to_site(NOW)
		agent = "Nobody's agent"
		cases = (
			({}, True),
			({"last_pull": site_now - timedelta(minutes=5)}, True),
			({"last_pull": site_now - timedelta(minutes=4)}, False),
			# In the hour that comes twice, or the server's clock was wrong.
			({"last_pull": site_now + timedelta(minutes=50)}, True),
			({"open_until": site_now + timedelta(seconds=1)}, False),
			({"open_until": site_now}, True),
			({"enabled": 0}, False),
			({"edge_agent": agent}, False),
		)
		fresh = {"last_pull": None, "open_until": None, "enabled": 1, "edge_agent": None}
		for values, due in cases:
			self._set(**{**fresh, **values})
			with self.subTest(values=values):
				self.assertEqual(self.name in devices.due(NOW), due)

	def test_a_terminal_is_its_serial_number(self) -> None:
		devices.check_serial(self.name, INFO)
		devices.contacted(self.name, INFO, None, at=NOW)
		devices.check_serial(self.name, INFO)
		with self.assertRaises(DeviceError) as caught:
			devices.check_serial(self.name, DeviceInfo(serial="TEST-B"))
		self.assertIs(caught.exception.code, Code.WRONG_DEVICE)

	def test_one_terminal_is_not_configured_twice(self) -> None:
		devices.contacted(self.name, INFO, None, at=NOW)
		with self.assertRaises(DeviceError) as caught:
			devices.check_serial(zkteco().insert().name, INFO)
		self.assertEqual(caught.exception.details["configured_as"], self.name)

	def test_a_contact_is_kept_without_editing_the_document(self) -> None:
		modified = self._state("modified").modified
		reading = ClockReading(taken_at=NOW, device_time=NOW + timedelta(seconds=30))
		devices.contacted(self.name, INFO, reading, at=NOW)
		state = self._state("*")
		self.assertEqual(state.modified, modified)
		self.assertEqual((state.serial_number, state.model, state.records_on_device), ("TEST-A", "M", 5))
		self.assertEqual(state.capacity, 2**31 - 1)
		self.assertEqual(state.clock_offset, 30)
		self.assertEqual(moments.from_site(state.last_contact), NOW)
		self.assertEqual(moments.from_site(state.clock_good_until), NOW)

	def test_a_form_that_is_saved_late_brings_no_old_state_back(self) -> None:
		form = frappe.get_doc("Device Configuration", self.name)
		devices.contacted(self.name, INFO, ClockReading(taken_at=NOW, device_time=NOW), at=NOW)
		devices.vouch(self.name, INFO.serial, NOW)
		frappe.db.set_value(
			"Device Configuration", self.name, "cursor", '{"offset": 7}', update_modified=False
		)
		devices.failed(self.name, DeviceError(Code.AUTH_FAILED), at=NOW)
		form.poll_interval, form.watermark = 7, moments.to_site(NOW) + timedelta(days=1)
		fields = ("serial_number", "cursor", "watermark", "open_until", "last_error_code", "last_contact")
		before = self._state(*fields)
		form.save()
		self.assertEqual(self._state(*fields), before)
		self.assertNotIn(None, before.values())
		self.assertEqual(self._state("poll_interval").poll_interval, 7)

	def test_a_wrong_clock_is_not_called_good(self) -> None:
		reading = ClockReading(taken_at=NOW, device_time=NOW + timedelta(minutes=10))
		devices.contacted(self.name, INFO, reading, at=NOW)
		self.assertIsNone(self._state("clock_good_until").clock_good_until)

	def test_failures_keep_it_alone_longer_and_longer(self) -> None:
		pauses = []
		for _attempt in range(8):
			breaker = devices.failed(self.name, DeviceError(Code.UNREACHABLE, host="h"), at=NOW)
			pauses.append((breaker.open_until - NOW).total_seconds())
		# Full minutes doubled, half of it at the least: 30–60, 60–120 … and never beyond a quarter hour.
		self.assertTrue(30 <= pauses[0] <= 60 <= pauses[1] <= 120 <= pauses[2] <= 240)
		self.assertTrue(all(450 <= pause <= 900 for pause in pauses[-3:]))
		state = self._state("failures", "last_error_code", "last_error")
		self.assertEqual((state.failures, state.last_error_code), (8, "unreachable"))
		self.assertIn(self.name, state.last_error)

	def test_a_refused_password_is_left_alone_even_by_people(self) -> None:
		devices.failed(self.name, DeviceError(Code.AUTH_FAILED), at=NOW)
		refused = devices.left_alone(self.name, at=NOW + timedelta(minutes=29))
		self.assertEqual(refused.code, Code.AUTH_FAILED)
		self.assertTrue(60 <= refused.details["unlock_seconds"] <= 31 * 60, refused.details)
		self.assertIsNone(devices.left_alone(self.name, at=NOW + timedelta(minutes=61)))

	def test_a_lock_out_lasts_as_long_as_the_terminal_says(self) -> None:
		for said, kept in ((90, 90), (10**9, 24 * 3600)):
			self.assertEqual(self._locked_out(said)[1], kept)
		for nonsense in ("soon", None):  # then as after a refused password
			failures, kept = self._locked_out(nonsense)
			longest = AFTER_REFUSED_PASSWORD.delay(failures, 1).total_seconds()
			self.assertTrue(longest / 2 <= kept <= longest, kept)

	def _locked_out(self, said: object) -> tuple[int, float]:
		"""How often it has failed by now, and for how many seconds it is left alone."""
		breaker = devices.failed(self.name, DeviceError(Code.LOCKED_OUT, unlock_seconds=said), at=NOW)
		return breaker.failures, (breaker.open_until - NOW).total_seconds()

	def test_unreachable_does_not_stop_people(self) -> None:
		devices.failed(self.name, DeviceError(Code.UNREACHABLE), at=NOW)
		self.assertIsNone(devices.left_alone(self.name, at=NOW))

	def test_a_watermark_never_goes_back(self) -> None:
		self._set(serial_number="TEST-A")
		devices.vouch(self.name, "TEST-A", NOW)
		devices.vouch(self.name, "TEST-A", NOW - timedelta(hours=1))
		devices.vouch(self.name, "TEST-B", NOW + timedelta(hours=1))  # accepted away meanwhile
		self.assertEqual(moments.from_site(self._state("watermark").watermark), NOW)

	def test_forgetting_a_terminal_forgets_all_that_was_its_own(self) -> None:
		devices.contacted(self.name, INFO, ClockReading(taken_at=NOW, device_time=NOW), at=NOW)
		devices.vouch(self.name, INFO.serial, NOW)
		self._set(cursor='{"offset": 7}')
		devices.forget_terminal(self.name)
		state = self._state("serial_number", "cursor", "watermark", "clock_good_until", "model")
		self.assertEqual(set(state.values()), {None})
		devices.check_serial(self.name, DeviceInfo(serial="TEST-B"))

	def test_policies_go_by_serial_number(self) -> None:
		devices.contacted(self.name, INFO, None, at=NOW)
		policy = devices.policies()["TEST-A"]
		self.assertEqual((policy.role, policy.user_id_prefix), (DeviceRole.IN, "N"))

	def test_rules_come_from_the_settings(self) -> None:
		settings = frappe.get_doc("Attendance Bridge Settings")
		settings.update({"clock_tolerance": 30, "debounce": 0, "working_day_hours": 12}).save()
		rules = devices.rules()
		self.assertEqual(rules.clock.tolerance, timedelta(seconds=30))
		self.assertEqual(rules.debounce.window, timedelta(0))
		self.assertEqual(rules.direction.working_day, timedelta(hours=12))

	def test_site_time_and_back(self) -> None:
		self.assertEqual(moments.from_site(moments.to_site(NOW)), NOW)
		self.assertEqual(moments.from_utc(moments.to_utc(NOW)), NOW)
		self.assertIsNone(moments.now().tzinfo)
		self.assertRaises(ValueError, moments.from_site, NOW)
