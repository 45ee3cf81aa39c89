"""Edge Agents on the real site: who calls, what they are told and tell, what is kept of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge import drivers
from attendance_bridge.bench import (
	agents,
	devices,
	driver_options,
	fetch_request,
	heartbeat,
	ingest,
	moments,
	read_wishes,
	relayed,
)
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import BadFieldError, spell_moment
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, premises, terminals
from attendance_bridge.core import config as configuration
from attendance_bridge.core.redact import Secret
from attendance_bridge.install import AGENT_ROLE

PASSWORD = "correct horse 27"


class _AgentTestCase(IntegrationTestCase):
	def setUp(self) -> None:
		agents_at_work.clear()
		premises.clear()
		self.addCleanup(premises.clear)
		self.addCleanup(agents_at_work.clear)
		self.document = agents_at_work.agent()
		self.agent = Agent(name=self.document.name)


class TestAgents(_AgentTestCase):
	def test_an_agent_without_a_user_gets_one_that_can_do_nothing_else(self) -> None:
		user = frappe.get_doc("User", self.document.user)
		self.assertEqual(user.name, "agent-abt-agent-1@agents.invalid")
		self.assertEqual([row.role for row in user.roles], [AGENT_ROLE])
		self.assertEqual(user.user_type, "Website User")
		self.assertFalse(frappe.get_all("Email Queue Recipient", {"recipient": user.name}))
		another = agents.make_user("ABT Agent 1")
		self.assertNotEqual(another, user.name)
		frappe.delete_doc("User", another, force=True)
		self.assertRegex(agents.make_user("بوابة"), r"^agent-[a-z0-9]{8}@agents\.invalid$")

	def test_a_user_with_other_rights_is_refused(self) -> None:
		user = frappe.get_doc(
			{
				"doctype": "User",
				"email": "abt-manager@example.com",
				"first_name": "Manager",
				"send_welcome_email": 0,
				"roles": [{"role": "HR User"}],
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "User", user.name, force=True)
		for taken in (user.name, "Administrator", "Guest"):
			with self.subTest(user=taken):
				self.assertRaises(frappe.ValidationError, agents_at_work.agent, 2, user=taken)
		self.document.user = None
		self.assertRaises(frappe.MandatoryError, self.document.save)

	def test_who_is_calling(self) -> None:
		self.assertIsNone(self.document.people_company)
		self.document.update({"people_company": premises.company()}).save()
		frappe.set_user(self.document.user)
		self.addCleanup(frappe.set_user, "Administrator")
		self.assertEqual(agents.calling(), Agent(name=self.document.name, company=premises.company()))
		frappe.set_user("Administrator")
		self.document.enabled = 0
		self.document.save()
		for user in (self.document.user, "Administrator", "Guest"):
			frappe.set_user(user)
			with self.subTest(user=user):
				self.assertRaises(frappe.PermissionError, agents.calling)

	def test_without_its_role_the_user_is_no_agent(self) -> None:
		frappe.get_doc("User", self.document.user).remove_roles(AGENT_ROLE)
		frappe.set_user(self.document.user)
		self.addCleanup(frappe.set_user, "Administrator")
		self.assertRaises(frappe.PermissionError, agents.calling)


class TestRelayed(_AgentTestCase):
	def _hikvision(self, **values: Any) -> str:
		name = terminals.hikvision(
			8080, edge_agent=self.agent.name, device_role="In", user_id_prefix="N", **values
		)
		document = frappe.get_doc("Device Configuration", name)
		document.device_user_password = PASSWORD
		document.driver_options = json.dumps({"timeout": 7.5, "https": True, "verify_tls": False})
		document.save()
		return name

	def test_what_a_driver_takes_comes_out(self) -> None:
		hikvision = self._hikvision(serial_number="ABTHIK1", poll_interval=2)
		zkteco = terminals.zkteco(4370, edge_agent=self.agent.name, enabled=0)
		terminals.silent(1)  # not this agent's
		told = relayed.assignment(self.agent)
		first, second = told["devices"]
		self.assertEqual((first["name"], second["name"]), (hikvision, zkteco))
		options = first["options"]
		self.assertEqual(
			{name: value for name, value in first.items() if name != "options"},
			{
				"name": hikvision,
				"driver": "hikvision_isapi",
				"enabled": True,
				"serial": "ABTHIK1",
				"time_zone": "Asia/Dubai",
				"role": "in",
				"user_id_prefix": "N",
				"poll_seconds": 120,
				"live": False,
				"posts": False,
			},
		)
		self.assertEqual((options["password"], options["port"], options["timeout"]), (PASSWORD, 8080, 7.5))
		self.assertFalse(second["enabled"])
		self.assertEqual(told["rules"]["debounce_seconds"], 60)
		sent = json.loads(json.dumps(told))  # over the wire
		for device in sent["devices"]:
			spec = drivers.load(device["driver"]).spec
			given = {
				name: Secret(value) if name in ("password", "comm_key") else value
				for name, value in device["options"].items()
			}
			config = configuration.parse(spec.config, given, secrets=driver_options.no_secrets)
			self.assertEqual(config.host, "127.0.0.1")

	def test_the_revision_changes_with_everything_and_gives_no_secret_away(self) -> None:
		name = self._hikvision()
		seen = [relayed.revision(self.agent)]
		self.assertEqual(relayed.assignment(self.agent)["revision"], seen[0])
		self.assertEqual(relayed.revision(self.agent), seen[0])
		changes: list[dict[str, Any]] = [
			{"device_user_password": "another"},
			{"device_user_password": PASSWORD},
			{"poll_interval": 9},
			{"device_role": "Out"},
			{"driver_options": "{}"},
			{"enabled": 0},
			{"edge_agent": None},
		]
		for change in changes:
			frappe.get_doc("Device Configuration", name).update(change).save()
			seen.append(relayed.revision(self.agent))
		settings = frappe.get_doc("Attendance Bridge Settings")
		self.addCleanup(settings.update({"debounce": 60}).save)
		settings.update({"debounce": 61}).save()
		seen.append(relayed.revision(self.agent))
		self.assertEqual(len(seen), len(set(seen)))
		with patch.object(relayed, "get_encryption_key", return_value="another"):
			self.assertNotIn(relayed.revision(self.agent), seen)
		frappe.get_doc("Device Configuration", name).update({"edge_agent": self.agent.name}).save()
		with patch("attendance_bridge.bench.devices.get_decrypted_password") as decrypted:
			relayed.revision(self.agent)
		decrypted.assert_not_called()

	def test_one_that_cannot_be_used_does_not_keep_the_others_away(self) -> None:
		broken, good = self._hikvision(), terminals.zkteco(4370, edge_agent=self.agent.name)
		for field, value in (("driver", "fax_machine"), ("device_ip", "a b"), ("driver_options", "[]")):
			before = frappe.db.get_value("Device Configuration", broken, field)
			frappe.db.set_value("Device Configuration", broken, field, value)
			with self.subTest(field=field), self.assertLogs(relayed.logger, "ERROR") as logged:
				told = relayed.assignment(self.agent)["devices"]
			self.assertEqual([device["name"] for device in told], [good])
			self.assertNotIn(PASSWORD, str(logged.output))
			frappe.db.set_value("Device Configuration", broken, field, before)
		frappe.db.sql("UPDATE `__Auth` SET `password` = 'spoilt' WHERE `name` = %s", broken)
		with self.assertLogs(relayed.logger, "ERROR"):
			self.assertEqual(len(relayed.assignment(self.agent)["devices"]), 1)


class TestHeartbeat(_AgentTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.shift = premises.shift_type("Day", "08:00:00", "17:00:00")
		self.device = terminals.silent(1, edge_agent=self.agent.name, shifts=[self.shift])
		self.now = datetime.now(timezone.utc).replace(microsecond=0)
		frappe.db.commit()

	def _before(self, **ago: float) -> str:
		return spell_moment(self.now - timedelta(**ago))

	def _beat(self, *devices: dict[str, Any], **values: Any) -> dict[str, Any]:
		return heartbeat.take(self.agent, {"version": "0.1.0", "devices": list(devices), **values})

	def _report(self, **values: Any) -> dict[str, Any]:
		return {"name": self.device, "serial": terminals.serial(1), **values}

	def _device(self, *fields: str) -> Any:
		found = frappe.db.get_value("Device Configuration", self.device, fields, as_dict=True)
		return found[fields[0]] if len(fields) == 1 else found

	def _utc(self, field: str) -> str:
		return spell_moment(moments.from_site(self._device(field)))

	def test_the_agent_itself(self) -> None:
		modified = self.document.modified
		answer = self._beat(waiting=3, oldest_waiting=self._before(hours=2))
		self.document.reload()
		self.assertEqual((self.document.version, self.document.waiting), ("0.1.0", 3))
		self.assertEqual(moments.from_site(self.document.oldest_waiting), self.now - timedelta(hours=2))
		self.assertLess(moments.now() - self.document.last_heartbeat, timedelta(seconds=30))
		self.assertEqual(str(self.document.modified), str(modified))
		self.assertEqual(set(answer), {"now", "revision", "read_now", "counts", "scan"})
		self.assertEqual(answer["revision"], relayed.assignment(self.agent)["revision"])
		self._beat()
		self.document.reload()
		self.assertEqual((self.document.waiting, self.document.oldest_waiting), (0, None))

	def test_the_state_of_a_terminal(self) -> None:
		modified = self._device("modified")
		self._beat(
			self._report(
				model="M",
				firmware="F",
				last_contact=self._before(minutes=1),
				last_pull=self._before(minutes=2),
				clock_offset_seconds=-3.5,
				clock_good_until=self._before(minutes=1),
				punches_held=412,
				punch_capacity=100000,
			)
		)
		state = self._device("model", "firmware", "clock_offset", "records_on_device", "capacity", "modified")
		self.assertEqual(list(state.values()), ["M", "F", -3.5, 412, 100000, modified])
		self.assertEqual(self._utc("last_contact"), self._before(minutes=1))
		self.assertEqual(self._utc("last_pull"), self._before(minutes=2))
		self.assertEqual(self._utc("clock_good_until"), self._before(minutes=1))

	def test_a_trouble_comes_and_goes(self) -> None:
		error = {
			"code": "timeout",
			"at": self._before(minutes=1),
			"failures": 2,
			"open_until": self._before(minutes=-5),
		}
		self._beat(self._report(error=error))
		state = self._device("last_error_code", "failures")
		self.assertEqual(list(state.values()), ["timeout", 2])
		self.assertIn(self.device, self._device("last_error"))
		self.assertEqual(self._utc("open_until"), self._before(minutes=-5))
		for code in ("from_the_future", "<script>", "x" * 500, ""):
			self._beat(self._report(error={**error, "code": code}))
			self.assertNotIn("<", self._device("last_error"))
		self._beat(self._report())
		state = self._device("last_error_code", "last_error", "failures", "open_until")
		self.assertEqual(list(state.values()), [None, None, 0, None])

	def test_a_watermark_moves_the_shift_but_not_past_what_waits(self) -> None:
		frappe.db.set_value("Shift Type", self.shift, "last_sync_of_checkin", None)

		def moved() -> Any:
			at = frappe.db.get_value("Shift Type", self.shift, "last_sync_of_checkin")
			return spell_moment(moments.from_site(at)) if at else None

		mark = {"watermark": self._before(minutes=5)}
		self._beat(self._report(**mark), waiting=2)  # what waits is not told: nothing is vouched for
		self.assertIsNone(moved())
		self._beat(self._report(**mark), waiting=2, oldest_waiting=self._before(hours=3))
		self.assertEqual((moved(), self._utc("watermark")), (self._before(hours=3), self._before(hours=3)))
		self._beat(self._report(**mark))
		self.assertEqual(moved(), self._before(minutes=5))
		self._beat(self._report(watermark=self._before(hours=9)))
		self.assertEqual(moved(), self._before(minutes=5))
		self._beat(self._report(watermark=self._before(days=-9)))  # never later than now
		self.assertLessEqual(moments.from_site(self._device("watermark")), moments.utc_now())

	def test_a_punch_that_waits_here_holds_the_shift(self) -> None:
		wall = (self.now - timedelta(hours=4)).astimezone(terminals.ZONE).replace(tzinfo=None)
		punch = agents_at_work.sent("abt1", wall)
		with patch.object(ingest, "CARRY_ON_SECONDS", 0), patch("frappe.enqueue"):
			ingest.take(self.agent, [punch])
		self._beat(self._report(watermark=self._before(minutes=1)))
		at = frappe.db.get_value("Shift Type", self.shift, "last_sync_of_checkin")
		self.assertEqual(spell_moment(moments.from_site(at)), self._before(hours=4))

	def test_another_terminal_in_its_place_is_said_and_vouches_for_nothing(self) -> None:
		self._beat(self._report(serial="ABTOTHER", watermark=self._before(hours=1), model="X"))
		state = self._device("last_error_code", "serial_number", "watermark", "model")
		self.assertEqual(list(state.values()), ["wrong_device", terminals.serial(1), None, None])
		self.assertIn("ABTOTHER", self._device("last_error"))
		frappe.db.set_value("Device Configuration", self.device, "serial_number", None)
		terminals.silent(2)
		self._beat(self._report(serial=terminals.serial(2)))
		self.assertIsNone(self._device("serial_number"))
		self._beat(self._report(serial="ABTOTHER"))
		self.assertEqual(self._device("serial_number"), "ABTOTHER")

	def test_a_terminal_that_is_accepted_in_the_place_of_another_is_learnt_anew(self) -> None:
		met = {"last_contact": self._before(hours=2), "model": "X"}
		self._beat(self._report(watermark=self._before(hours=2), **met))
		refused = {"code": "wrong_device", "at": self._before(minutes=1), "failures": 3}
		self._beat(self._report(watermark=self._before(hours=2), error=refused, **met))
		devices.forget_terminal(self.device)
		accepted = frappe.db.get_value("Device Configuration", self.device, "accepted_at")
		# The agent has met no other yet, and does not know that another is welcome.
		for error in (refused, {**refused, "code": "unreachable"}):
			self._beat(self._report(watermark=self._before(hours=2), error=error, **met))
			state = self._device("serial_number", "watermark", "last_contact", "model", "last_pull")
			self.assertEqual((state.serial_number, state.watermark, state.model), (None, None, None))
		self.assertEqual(self._device("last_error_code"), "unreachable")
		with patch("frappe.enqueue"):  # what the former one had recorded is taken, and teaches nothing
			frappe.db.set_value("Device Configuration", self.device, "serial_number", terminals.serial(1))
			early, late = (agents_at_work.sent("nobody", datetime(2026, 3, 2, hour, 0)) for hour in (8, 9))
			ingest.take(self.agent, [early])
			devices.forget_terminal(self.device)
			receipts = ingest.take(self.agent, [{**late, "device": self.device}])
		self.assertEqual(receipts[0]["status"], "Unmapped")
		self.assertIsNone(self._device("serial_number"))
		frappe.db.set_value(
			"Device Configuration", self.device, "accepted_at", accepted - timedelta(minutes=10)
		)
		self._beat(
			self._report(
				serial="ABTNEW", last_contact=self._before(minutes=1), watermark=self._before(minutes=1)
			)
		)
		self.assertEqual(self._device("serial_number"), "ABTNEW")
		self.assertEqual(self._utc("watermark"), self._before(minutes=1))

	def test_terminals_of_others_are_passed_over(self) -> None:
		other = terminals.silent(2)
		self._beat({"name": other, "model": "X", "watermark": self._before(hours=1)}, {"name": "Nowhere"})
		state = frappe.db.get_value("Device Configuration", other, ("model", "watermark"))
		self.assertEqual(state, (None, None))

	def test_hostile_values_are_bounded_or_refused(self) -> None:
		self._beat(
			self._report(
				model="m" * 5000,
				firmware="\ud83d<b>",
				clock_offset_seconds=1e308,
				punches_held=10**30,
				punch_capacity=-5,
				last_contact="9998-12-31T23:59:59Z",
				last_pull="0001-01-01T00:00:00+00:00",
				error={"code": "busy", "failures": 10**30, "open_until": "9998-12-31T23:59:59Z"},
			),
			version="v" * 5000,
			waiting=10**30,
			oldest_waiting="9998-12-31T23:59:59Z",
		)
		state = self._device("model", "records_on_device", "capacity", "failures")
		self.assertEqual(list(state.values()), ["m" * 140, 2**31 - 1, 0, 2**31 - 1])
		self.assertLessEqual(moments.from_site(self._device("last_contact")), moments.utc_now())
		ahead = moments.from_site(self._device("open_until")) - moments.utc_now()
		self.assertLessEqual(ahead, timedelta(hours=24))
		wrong: list[dict[str, Any]] = [
			{"waiting": "3"},
			{"waiting": 1.5},
			{"version": 1},
			{"oldest_waiting": "soon"},
			{"devices": "all"},
			{"devices": [5]},
			{"devices": [{}] * 1001},
			{"devices": [self._report(clock_offset_seconds=float("nan"))]},
			{"devices": [self._report(watermark=5)]},
			{"devices": [self._report(error="timeout")]},
			{"devices": [self._report(name="x" * 141)]},
		]
		for each in wrong:
			with self.subTest(told=str(each)[:100]):
				self.assertRaises(BadFieldError, self._beat, **each)

	def test_a_wish_to_read_is_named_until_it_is_fulfilled(self) -> None:
		self.assertEqual(self._beat(self._report())["read_now"], [])
		first = fetch_request.queue(self.device, None)
		self.assertTrue(first["queued"])
		self.assertEqual(fetch_request.queue(self.device, None), {"queued": False, "sync_log": None})
		self.assertEqual(self._beat(self._report(last_pull=self._before(hours=1)))["read_now"], [self.device])
		later = self._later()
		answer = self._beat(self._report(last_pull=later), waiting=1, oldest_waiting=self._before(hours=1))
		self.assertEqual(answer["read_now"], [])
		log = frappe.get_doc("Device Sync Log", first["sync_log"])
		self.assertEqual((log.status, log.trigger), ("Queued", "Agent"))  # a punch is still on its way
		with patch("frappe.enqueue"):
			ingest.take(self.agent, [agents_at_work.sent("nobody", datetime(2026, 3, 2, 8, 0))])
		self._beat(self._report(last_pull=later))
		log.reload()
		self.assertEqual((log.status, log.new, log.unmapped), ("Complete", 1, 1))
		self.assertIsNone(self._device("read_wanted_at"))

	def test_a_wish_that_fails_is_said(self) -> None:
		wish = fetch_request.queue(self.device, None)["sync_log"]
		old = {"code": "timeout", "at": self._before(hours=1), "failures": 1}
		self.assertEqual(self._beat(self._report(error=old))["read_now"], [self.device])
		self.assertEqual(self._beat(self._report(error={**old, "at": self._later()}))["read_now"], [])
		log = frappe.get_doc("Device Sync Log", wish)
		self.assertEqual((log.status, log.error_code), ("Failed", "timeout"))
		self.assertRaises(
			frappe.ValidationError,
			fetch_request.queue,
			self.device,
			fetch_request.window("2026-03-01", "2026-03-02"),
		)

	def test_a_wish_ends_with_the_agent_that_should_fulfil_it(self) -> None:
		wish = fetch_request.queue(self.device, None)["sync_log"]
		document = frappe.get_doc("Device Configuration", self.device)
		document.edge_agent = None
		document.save()
		self.assertIsNone(self._device("read_wanted_at"))
		log = frappe.get_doc("Device Sync Log", wish)
		self.assertEqual((log.status, log.error_code), ("Failed", read_wishes.WITHDRAWN))
		self.assertIn("Edge Agent", log.error)

	def _later(self) -> str:
		"""A moment after the wish; the heartbeat takes none that has not come."""
		frappe.db.set_value(
			"Device Configuration",
			self.device,
			"read_wanted_at",
			moments.to_site(self.now - timedelta(minutes=5)),
			update_modified=False,
		)
		frappe.db.set_value(
			"Device Sync Log",
			{"device": self.device},
			"started_at",
			moments.to_site(self.now - timedelta(minutes=5)),
		)
		return self._before(minutes=2)
