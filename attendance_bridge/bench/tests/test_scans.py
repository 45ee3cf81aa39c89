"""Find Terminals: an agent is asked to look, tells what it found, and a changed address is taken over."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import frappe

from attendance_bridge.bench import heartbeat, listener, relayed, relayed_counts, scans
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.sent_fields import BadFieldError
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, premises, terminals


class TestScans(IntegrationTestCase):
	def setUp(self) -> None:
		agents_at_work.clear()
		premises.clear()
		self.addCleanup(premises.clear)
		self.addCleanup(agents_at_work.clear)
		self.document = agents_at_work.agent(scan_networks="192.0.2.0/24\n198.51.100.0/28")
		self.agent = Agent(name=self.document.name)

	def _found(self, *found: dict[str, Any], **values: Any) -> dict[str, Any]:
		told = {"token": self._token(), "addresses": 270, "terminals": [*found], "error": "", **values}
		return heartbeat.take(self.agent, {"found": told})

	def _token(self) -> str:
		return frappe.db.get_value("Edge Agent", self.agent.name, "scan_token")

	@staticmethod
	def _terminal(serial: str, host: str = "192.0.2.17", port: int = 4370) -> dict[str, Any]:
		return {
			"serial": serial,
			"host": host,
			"port": port,
			"driver": "zkteco_tcp",
			"model": "M",
			"firmware": "F",
		}

	def test_a_wish_is_named_until_its_result_was_told(self) -> None:
		self.assertIsNone(heartbeat.take(self.agent, {})["scan"])
		scans.want(self.agent.name)
		wanted = heartbeat.take(self.agent, {})["scan"]
		self.assertEqual(wanted["networks"], ["192.0.2.0/24", "198.51.100.0/28"])
		self.assertEqual(wanted["token"], self._token())
		self.assertIsNotNone(self._found(token="another")["scan"])
		self.assertIsNone(self._found(self._terminal("ABTNEW"))["scan"])
		# Told again, it changes nothing.
		self.assertIsNone(self._found()["scan"])
		(new,) = scans.result(self.agent.name)["terminals"]
		self.assertEqual((new["serial"], new["state"], new["device"]), ("ABTNEW", "new", None))

	def test_a_terminal_that_has_moved_is_known_by_its_serial_number(self) -> None:
		device = terminals.silent(1, edge_agent=self.agent.name)
		known = terminals.silent(2, edge_agent=self.agent.name)
		strange = terminals.silent(3)
		scans.want(self.agent.name)
		self._found(
			self._terminal(terminals.serial(1)),
			self._terminal(terminals.serial(2), host="127.0.0.1"),
			self._terminal(terminals.serial(3)),
		)
		found = {each["device"]: each["state"] for each in scans.result(self.agent.name)["terminals"]}
		self.assertEqual(found, {device: "moved", known: "known", strange: "elsewhere"})
		before = relayed.revision(self.agent)
		self.assertEqual(scans.take_over(self.agent.name, terminals.serial(1)), device)
		document = frappe.get_doc("Device Configuration", device)
		self.assertEqual((document.device_ip, document.port), ("192.0.2.17", 4370))
		self.assertNotEqual(relayed.revision(self.agent), before)
		comments = frappe.get_all(
			"Comment", {"reference_name": device, "comment_type": "Info"}, pluck="content"
		)
		self.assertTrue(any("127.0.0.1:4370" in comment for comment in comments))
		self.assertRaises(frappe.ValidationError, scans.take_over, self.agent.name, "ABTNOWHERE")

	def test_one_that_wants_its_comm_key_is_told_by_its_address(self) -> None:
		device = terminals.silent(1, edge_agent=self.agent.name)
		terminals.silent(2)
		scans.want(self.agent.name)
		locked = {"serial": "", "wants_key": True, "port": 4370, "driver": "zkteco_tcp"}
		self._found({**locked, "host": "192.0.2.9"}, {**locked, "host": "127.0.0.1"})
		found = [(each["state"], each["device"]) for each in scans.result(self.agent.name)["terminals"]]
		self.assertEqual(found, [("locked", None), ("locked", device)])
		self.assertRaises(frappe.ValidationError, scans.take_over, self.agent.name, "")

	def test_ranges_are_bounded(self) -> None:
		for ranges in ("10.0.0.0/8", "everywhere", "\n".join(f"10.0.{net}.0/28" for net in range(17))):
			with self.subTest(ranges=ranges[:20]):
				self.document.scan_networks = ranges
				self.assertRaises(frappe.ValidationError, self.document.save)
		self.document.reload()
		self.document.scan_networks = ""
		self.document.save()
		self.assertRaises(frappe.ValidationError, scans.want, self.agent.name)

	def test_what_is_told_is_bounded_or_refused(self) -> None:
		scans.want(self.agent.name)
		for found in ("x", {"terminals": "x"}, {"terminals": [{"serial": 7}]}, {"terminals": [{}] * 1001}):
			with self.subTest(found=str(found)[:40]), self.assertRaises(BadFieldError):
				heartbeat.take(self.agent, {"found": found})
		hostile = {"serial": "<b>", "host": "x" * 500, "port": 10**9, "driver": "os", "model": "<script>"}
		self._found(hostile, addresses=10**12, error="<i>")
		kept = json.loads(frappe.db.get_value("Edge Agent", self.agent.name, "scan_result"))
		(terminal,) = kept["terminals"]
		self.assertEqual((terminal["port"], terminal["driver"], len(terminal["host"])), (65_535, "", 140))
		self.assertNotIn("<i>", scans.result(self.agent.name)["error"])

	def test_a_form_that_is_saved_late_brings_no_old_state_back(self) -> None:
		scans.want(self.agent.name)
		self.document.save()
		self.assertEqual(heartbeat.take(self.agent, {})["scan"]["token"], self._token())

	def test_what_an_agent_tells_of_a_terminal_is_shown_beside_what_is_here(self) -> None:
		device = terminals.silent(1, edge_agent=self.agent.name)
		PunchLog(device, road="Agent").accept(
			terminals.page(terminals.punch("abt1", datetime(2026, 3, 2, 8))), terminals.serial(1), None
		)
		heartbeat.take(self.agent, {"devices": [{"name": device, "punches_held": 3}]})
		relayed_counts.ask()
		relayed_counts.ask()  # the night after: its agent is one that does not count
		document = frappe.get_doc("Device Configuration", device)
		self.assertEqual((document.count_there, document.count_here, document.gap), (3, 1, 0))
		self.assertIsNotNone(document.counted_at)

	def test_how_a_terminal_posts_to_its_agent_is_shown(self) -> None:
		device = terminals.silent(1, edge_agent=self.agent.name)
		for values, state in (
			({"told_at": None}, ""),
			({}, listener.SET_UP),
			({"delivery": "delivers", "arrived_at": "2026-03-02T08:01:00Z"}, listener.DELIVERS),
			({"delivery": "never"}, listener.SILENT),
			({"delivery": "stopped"}, listener.SILENT),
			({"not_kept": ["url", "<i>"]}, listener.NOT_KEPT),
			({"reaches_us": False}, listener.NOT_KEPT),
			({"code": "no_free_place"}, listener.NOT_KEPT),
			({"code": "<script>"}, listener.NOT_KEPT),
		):
			with self.subTest(**values):
				posts = {"delivery": "waiting", "told_at": "2026-03-02T08:00:00Z", **values}
				heartbeat.take(self.agent, {"devices": [{"name": device, "posts": posts}]})
				document = frappe.get_doc("Device Configuration", device)
				self.assertEqual(document.listener_state or "", state)
				self.assertTrue(document.listener_words)
				self.assertNotIn("<", document.listener_words)
		# A reading of the agent brings what was not posted: that is for the agent to judge.
		posts = {
			"delivery": "delivers",
			"told_at": "2026-03-02T07:00:00Z",
			"arrived_at": "2026-03-02T07:01:00Z",
		}
		report = {"name": device, "serial": terminals.serial(1), "posts": posts}
		heartbeat.take(self.agent, {"devices": [report]})
		PunchLog(device, road="Agent").accept(
			terminals.page(terminals.punch("abt1", datetime(2026, 3, 2, 16))), terminals.serial(1), None
		)
		listener.watch()
		document.reload()
		self.assertEqual(document.listener_state, listener.DELIVERS)
		heartbeat.take(self.agent, {"devices": [{"name": device, "posts": None}]})
		document.reload()
		self.assertFalse(document.listener_state or document.listener_words or document.listener_set_at)
		for posts in ({"not_kept": "url"}, {"reaches_us": 1}, {"not_kept": ["x"] * 21}):
			with self.subTest(posts=posts), self.assertRaises(BadFieldError):
				heartbeat.take(self.agent, {"devices": [{"name": device, "posts": posts}]})

	def test_whether_to_listen_is_told(self) -> None:
		device = terminals.silent(1, edge_agent=self.agent.name)
		(told,) = relayed.assignment(self.agent)["devices"]
		self.assertFalse(told["live"] or told["posts"])
		document = frappe.get_doc("Device Configuration", device)
		self.assertEqual(document.road, "Relayed")
		before = relayed.revision(self.agent)
		document.live = document.posts = 1
		document.save()
		(told,) = relayed.assignment(self.agent)["devices"]
		self.assertTrue(told["live"] and told["posts"])
		self.assertNotEqual(relayed.revision(self.agent), before)
		document.edge_agent = None
		document.save()
		self.assertEqual(document.road, "Direct")
