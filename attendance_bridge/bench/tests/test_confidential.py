"""What an unexpected fault leaves in Frappe's Error Log: nothing of a face, nothing of a password."""

from __future__ import annotations

from unittest.mock import patch

import frappe
from frappe.utils.error import log_error_snapshot

from attendance_bridge.api import edge
from attendance_bridge.bench import agents, face_changes, face_templates, relayed, told_erasures
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.testing import IntegrationTestCase

SECRET = "dmVjdG9yIG9mIGEgZmFjZQ"


class TestConfidential(IntegrationTestCase):
	def setUp(self) -> None:
		frappe.db.delete("Error Log")
		frappe.db.commit()
		self.addCleanup(frappe.db.delete, "Error Log")
		calling = patch.object(agents, "calling", return_value=Agent(name="nobody"))
		calling.start()
		self.addCleanup(calling.stop)
		frappe.local.form_dict = frappe._dict(templates=[{"vector": SECRET}])
		frappe.local.response = frappe._dict(docs=[])

	def test_a_fault_is_told_without_what_it_worked_on(self) -> None:
		for module, name, act in (
			(face_templates, "take", lambda: edge.templates(templates=[{"vector": SECRET}])),
			(face_changes, "page", lambda: edge.faces(token=SECRET)),
			(told_erasures, "take", lambda: edge.erasures(erasures=[SECRET])),
			(relayed, "assignment", edge.devices),
		):
			frappe.local.response.pop("http_status_code", None)
			fault = frappe.db.OperationalError(1366, f"Incorrect string value: '{SECRET}'")
			with self.subTest(of=module.__name__), patch.object(module, name, side_effect=fault):
				self.assertIsNone(act())
				self.assertEqual(frappe.local.response.http_status_code, 503)
				(row,) = frappe.get_all("Error Log", fields=["*"])
				self.assertIn("OperationalError 1366", row.error)
				self.assertIn("edge.py", row.error)
				self.assertNotIn(SECRET, str(dict(row)))
			frappe.db.delete("Error Log")

	def test_frappe_alone_would_tell_it(self) -> None:
		"""What this is for; where it no longer holds, the rest may go."""

		def fail(templates: object) -> None:
			raise RuntimeError("fault")

		with patch.object(frappe.utils.error, "log_error") as logged:
			try:
				fail([{"vector": SECRET}])
			except RuntimeError as error:
				log_error_snapshot(error)
				told = frappe.get_traceback(with_context=True)
		self.assertTrue(logged.called)
		self.assertIn(SECRET, told)

	def test_what_is_refused_with_reason_goes_on(self) -> None:
		with (
			patch.object(face_templates, "take", side_effect=frappe.ValidationError("no")),
			self.assertRaises(frappe.ValidationError),
		):
			edge.templates(templates=[])
