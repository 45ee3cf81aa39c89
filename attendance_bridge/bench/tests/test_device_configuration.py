"""What a Device Configuration accepts, what it refuses, and where its secret is."""

from __future__ import annotations

import json
from typing import Any

import frappe

from attendance_bridge.bench import (
	agents,
	contact,
	devices,
	diagnostics,
	driver_options,
	fetch_request,
	relayed,
)
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work

SECRET = "Not-To-Be-Seen-7"


def hikvision(**values: Any) -> Any:
	return frappe.get_doc(
		{
			"doctype": "Device Configuration",
			"device_name": f"Test {frappe.generate_hash(length=8)}",
			"driver": "hikvision_isapi",
			"device_ip": "192.0.2.7",
			"device_user": "admin",
			"device_user_password": SECRET,
			"time_zone": "Asia/Dubai",
			**values,
		}
	)


def zkteco(**values: Any) -> Any:
	return hikvision(**{"driver": "zkteco_tcp", "device_user": None, "device_user_password": None, **values})


class TestDeviceConfiguration(IntegrationTestCase):
	def tearDown(self) -> None:
		frappe.db.rollback()

	def test_refuses_what_cannot_work_and_names_the_field(self) -> None:
		cases = (
			({"device_ip": "http://192.0.2.7"}, "Device IP"),
			({"device_ip": "192.0.2.7; reboot"}, "Device IP"),
			({"port": 70_000}, "Port"),
			({"time_zone": "Mars/Olympus"}, "Time Zone"),
			({"time_zone": "../../etc/passwd"}, "Time Zone"),
			({"poll_interval": 100_000}, "Poll Interval"),
			({"driver": "os"}, "There is no driver"),
			({"device_user": "a:b"}, "Device User"),
			({"device_user_password": None}, "Device User Password"),
			({"major": 7}, "Major"),
			({"driver_options": "[]"}, "Driver Options"),
			({"driver_options": '{"timeout": "long"}'}, "Timeout"),
			({"driver_options": '{"timeout": 1e9}'}, "Timeout"),
			({"driver_options": '{"nonsense": 1}'}, "nonsense"),
		)
		for values, named in cases:
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError) as caught:
				hikvision(**values).insert()
			self.assertIn(named, str(caught.exception))

	def test_options_can_neither_hold_nor_fetch_a_secret(self) -> None:
		for key in ("password", "password_file", "password_env", "host", "user"):
			with self.subTest(key=key), self.assertRaises(frappe.ValidationError):
				hikvision(driver_options=json.dumps({key: "/etc/passwd"})).insert()

	def test_keeps_only_options_that_differ_from_the_default(self) -> None:
		device = hikvision(driver_options='{"timeout": 20.0, "page_size": 10, "https": false}').insert()
		self.assertEqual(json.loads(device.driver_options), {"page_size": 10})
		self.assertIsNone(hikvision(driver_options='{"https": false}').insert().driver_options)

	def test_an_empty_port_is_the_usual_one(self) -> None:
		with devices.open_driver(zkteco().insert().name) as driver:
			self.assertEqual(driver._config.port, 4370)

	def test_the_secret_stands_in_the_password_store_alone(self) -> None:
		device = hikvision().insert()
		device.device_user = "operator"
		device.save()
		row = frappe.db.get_value("Device Configuration", device.name, "*", as_dict=True)
		versions = frappe.get_all("Version", filters={"docname": device.name}, pluck="data")
		self.assertNotIn(SECRET, str(row))
		self.assertNotIn(SECRET, str(versions))
		with devices.open_driver(device.name) as driver:
			self.assertNotIn(SECRET, repr(driver) + repr(driver._config))
			self.assertEqual(driver._config.password.reveal(), SECRET)

	def test_a_secret_is_checked_by_its_driver_and_not_repeated(self) -> None:
		with self.assertRaises(frappe.ValidationError) as caught:
			zkteco(device_user_password="abc-no-number").insert()
		self.assertIn("digits", str(caught.exception))
		self.assertNotIn("abc-no-number", str(caught.exception))

	def test_saving_again_keeps_the_secret(self) -> None:
		device = hikvision().insert()
		device = frappe.get_doc("Device Configuration", device.name)
		device.poll_interval = 9
		device.save()
		self.assertEqual(device.get_password("device_user_password"), SECRET)

	def test_a_serial_number_is_nobodys_twice_but_may_be_unknown(self) -> None:
		first, second = hikvision().insert(), hikvision().insert()
		for each in (first, second):
			self.assertIsNone(frappe.db.get_value("Device Configuration", each.name, "serial_number"))
		frappe.db.set_value("Device Configuration", first.name, "serial_number", "TEST-SERIAL-1")
		with self.assertRaises(frappe.UniqueValidationError):
			hikvision(serial_number="TEST-SERIAL-1").insert()

	def test_the_state_is_nothing_that_a_form_decides(self) -> None:
		device = hikvision().insert()
		device.update({"serial_number": "TYPED", "watermark": "2100-01-01 00:00:00", "cursor": "{}"})
		device.save()
		for field in ("serial_number", "watermark", "cursor"):
			self.assertIsNone(frappe.db.get_value("Device Configuration", device.name, field), field)

	def test_a_copy_is_another_terminal(self) -> None:
		device = hikvision(serial_number="TEST-SERIAL-2", cursor="{}").insert()
		copied = frappe.copy_doc(device, ignore_no_copy=False)
		for field in ("serial_number", "cursor", "watermark", "device_user_password"):
			self.assertFalse(copied.get(field), field)

	def test_a_correction_is_tried_at_once_but_a_lock_out_runs_its_time(self) -> None:
		later = "2100-01-01 00:00:00"
		for code, closed in (("auth_failed", True), ("locked_out", False)):
			device = hikvision().insert()
			device.db_set({"last_error_code": code, "open_until": later, "failures": 3})
			device.reload()
			device.device_user_password = "Another-1"
			device.save()
			with self.subTest(code=code):
				self.assertEqual(device.open_until is None, closed)

	def test_what_does_not_concern_the_connection_leaves_the_breaker_alone(self) -> None:
		device = hikvision().insert()
		device.db_set({"last_error_code": "auth_failed", "open_until": "2100-01-01 00:00:00"})
		device.reload()
		device.user_id_prefix = "N"
		device.save()
		self.assertIsNotNone(device.open_until)

	def test_rules_are_bounded(self) -> None:
		settings = frappe.get_doc("Attendance Bridge Settings")
		for field, value in (("clock_tolerance", 0), ("working_day_hours", 25), ("debounce", 86_400)):
			settings.reload()
			settings.set(field, value)
			with self.subTest(field=field):
				self.assertRaises(frappe.ValidationError, settings.save)


def camera(**values: Any) -> Any:
	return frappe.get_doc(
		{
			"doctype": "Device Configuration",
			"device_name": f"Test {frappe.generate_hash(length=8)}",
			"driver": "edge_camera",
			"time_zone": "Asia/Dubai",
			**values,
		}
	)


class TestCameraOfAnAgent(IntegrationTestCase):
	def setUp(self) -> None:
		self.agent = agents_at_work.agent(7).name

	def tearDown(self) -> None:
		frappe.db.rollback()

	def test_it_needs_its_agent_and_an_agent_has_one(self) -> None:
		with self.assertRaises(frappe.ValidationError) as caught:
			camera().insert()
		self.assertIn("needs that agent", str(caught.exception))
		camera(edge_agent=self.agent).insert()
		with self.assertRaises(frappe.ValidationError) as caught:
			camera(edge_agent=self.agent).insert()
		self.assertIn("An agent has one", str(caught.exception))

	def test_it_has_no_address(self) -> None:
		device = camera(edge_agent=self.agent, device_ip="192.0.2.7", port=80, device_user="admin").insert()
		self.assertEqual((device.device_ip, device.port, device.device_user), (None, 0, None))
		self.assertEqual(device.road, "Relayed")
		described = driver_options.describe("edge_camera")
		self.assertEqual((described["fields"], described["options"]), ({}, []))

	def test_its_agent_is_told_of_it(self) -> None:
		name = camera(edge_agent=self.agent).insert().name
		user = frappe.db.get_value("Edge Agent", self.agent, "user")
		frappe.set_user(user)
		self.addCleanup(frappe.set_user, "Administrator")
		(told,) = relayed.assignment(agents.calling())["devices"]
		self.assertEqual((told["name"], told["driver"], told["serial"]), (name, "edge_camera", ""))
		self.assertEqual(told["options"], {})

	def test_nobody_calls_it_and_everybody_is_told_so(self) -> None:
		name = camera(edge_agent=self.agent).insert().name
		answer = contact.look(name)
		self.assertIn(f"is the camera of the Edge Agent {self.agent}", answer["error"])
		self.assertTrue(answer["is_camera"])
		for act in (lambda: fetch_request.queue(name, None), lambda: diagnostics.download(name)):
			with self.assertRaises(frappe.ValidationError) as caught:
				act()
			self.assertIn("nobody calls it from here", str(caught.exception))
		state = frappe.db.get_value("Device Configuration", name, ("last_error", "read_wanted_at"))
		self.assertEqual(state, (None, None))
