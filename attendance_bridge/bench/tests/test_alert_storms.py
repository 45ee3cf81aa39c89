"""Many troubles at once, and troubles nobody can say anything of: what alerts come of them, on the site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import frappe

from attendance_bridge.bench import alerts, devices, moments
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.alert_case import DOCTYPE, AlertCase


class TestStorms(AlertCase):
	def row(self, cause: str, subject: str | None = None) -> Any:
		(row,) = self.of(cause, subject)
		return row

	def agent(self, **values: Any) -> str:
		agent = frappe.get_doc({"doctype": "Edge Agent", "agent_name": f"{premises.MARK} Alerts"})
		agent.insert(ignore_permissions=True)
		frappe.db.set_value("Edge Agent", agent.name, values)
		return str(agent.name)

	def heard(self, agent: str, *, ago: float) -> None:
		at = moments.to_site(self.now - timedelta(minutes=ago))
		frappe.db.set_value("Edge Agent", agent, "last_heartbeat", at)

	def test_a_site_that_was_down_itself_tells_of_no_dark_terminal(self) -> None:
		self.look(0)
		self.look(180)  # nobody was asked for three hours: the workers stood still
		self.seen(ago=-182)
		self.look(185)
		self.look(190)
		self.assertEqual((self.of("Terminal Dark"), self.mails()), ([], []))

	def test_most_terminals_at_once_are_one_alert(self) -> None:
		# The site may have others.
		others = frappe.db.count(devices.DOCTYPE, {"enabled": 1}) + frappe.db.count("Edge Agent")
		dark = [terminals.silent(number) for number in range(2, others + 8)]
		frappe.db.set_value(
			devices.DOCTYPE, {"name": ("in", dark)}, "last_contact", moments.to_site(self.now)
		)
		for minutes in (31, 36, 41):
			self.look(minutes)
		told = frappe.get_all(DOCTYPE, {"cause": "Terminal Dark", "status": "Open"}, ["subject", "what"])
		self.assertEqual([each.subject for each in told], [None])
		self.assertIn(f"Nothing is heard of {len(dark) + 1}", told[0].what)
		self.assertIn("share", self.of_all("Terminal Dark")[0].advice)

	def of_all(self, cause: str) -> list[Any]:
		return frappe.get_all(DOCTYPE, {"cause": cause, "status": "Open"}, ["*"])

	def test_a_password_is_not_right_again_because_the_terminal_is_silent(self) -> None:
		self.seen(ago=0, last_error_code="auth_failed")
		self.look(0)
		self.seen(ago=0, last_error_code="timeout")
		for minutes in (5, 10, 20, 30):
			self.look(minutes)
		self.assertEqual(self.row("Wrong Password").status, "Open")
		self.seen(ago=-31, last_error_code=None)
		for minutes in (32, 47):
			self.look(minutes)
		self.assertEqual(self.row("Wrong Password").status, "Cleared")

	def test_nothing_is_over_because_the_agent_is_gone(self) -> None:
		agent = self.agent(waiting=900)
		self.heard(agent, ago=0)
		self.seen(ago=50, edge_agent=agent, road="Relayed")
		for minutes in (1, 6):
			self.look(minutes)
		self.assertEqual(self.row("Terminal Dark").status, "Open")
		self.assertEqual(self.row("Backlog", agent).status, "Open")
		for minutes in (20, 25, 36, 41):
			self.look(minutes)
		self.assertEqual(self.row("Agent Gone", agent).status, "Open")
		self.assertEqual(self.row("Terminal Dark").status, "Open")
		self.assertEqual(self.row("Backlog", agent).status, "Open")

	def test_an_alert_outlives_its_terminal_by_its_all_clear(self) -> None:
		for minutes in (31, 36):
			self.look(minutes)
		frappe.delete_doc(devices.DOCTYPE, self.device)
		for minutes in (41, 56):
			self.look(minutes)
		self.assertEqual(self.row("Terminal Dark").status, "Cleared")

	def test_an_alert_follows_a_terminal_that_is_renamed(self) -> None:
		for minutes in (31, 36):
			self.look(minutes)
		self.device = frappe.rename_doc(devices.DOCTYPE, self.device, f"{premises.MARK} Renamed")
		for minutes in (41, 46, 61):
			self.look(minutes)
		row = self.row("Terminal Dark")
		self.assertEqual((row.status, row.open_key), ("Open", f"device_dark:{self.device}"))

	def test_a_name_as_long_as_may_be(self) -> None:
		name = f"{premises.MARK} ".ljust(140, "x")
		frappe.rename_doc(devices.DOCTYPE, self.device, name)
		self.device = name
		self.seen(ago=0, last_error_code="auth_failed")
		for minutes in (31, 36):
			self.look(minutes)
		self.assertEqual(self.row("Wrong Password").status, "Open")

	def test_the_bell_rings_on_a_site_that_sends_no_mail(self) -> None:
		frappe.db.set_value("Email Account", {"enable_outgoing": 1}, "enable_outgoing", 0)
		self.addCleanup(frappe.clear_cache)
		for minutes in (31, 36):
			self.look(minutes)
		name = self.row("Terminal Dark").name
		bell = {"document_name": name, "for_user": self.manager}
		self.assertEqual(frappe.db.count("Notification Log", bell), 1)

	def test_a_look_asks_as_much_of_many_terminals_as_of_few(self) -> None:
		few = self.statements()
		for number in range(2, 14):
			terminals.silent(number)
		frappe.db.set_value(
			devices.DOCTYPE, {"name": ("like", f"{premises.MARK} Silent%")}, "last_contact", moments.now()
		)
		self.assertEqual(self.statements(), few)

	def statements(self) -> int:
		alerts.everything(self.now)  # what is cached afterwards is asked once
		asked: list[str] = []
		original = frappe.db.sql

		def counting(query: Any, *args: Any, **kwargs: Any) -> Any:
			asked.append(str(query))
			return original(query, *args, **kwargs)

		frappe.db.sql = counting
		try:
			alerts.everything(self.now)
		finally:
			del frappe.db.sql
		return len(asked)
