"""A consent that is given at the Desk."""

from __future__ import annotations

import hashlib

import frappe

from attendance_bridge.bench import face_templates, moments
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, faces_at_work, premises
from attendance_bridge.bench.tests.faces_at_work import spoken, template


class TestFaceConsent(IntegrationTestCase):
	def setUp(self) -> None:
		self._clear()
		self.addCleanup(self._clear)
		self.agent = Agent(name=agents_at_work.agent(1).name)
		self.employee = premises.employee(1)
		frappe.db.commit()

	@staticmethod
	def _clear() -> None:
		faces_at_work.clear()
		agents_at_work.clear()
		premises.clear()

	def test_a_consent_at_the_desk_proves_its_words(self) -> None:
		values = {
			"doctype": "Face Consent",
			"employee": self.employee,
			"text_version": "7",
			"text_language": "ar",
		}
		self.assertRaises(frappe.MandatoryError, frappe.get_doc(values).insert)
		forged = {
			"given_utc": "2020-01-01",
			"given_to": "x",
			"withdrawn_at": "2020-01-01",
			"text_sha256": "x",
		}
		document = frappe.get_doc({**values, **forged, "consent_text": "I agree. "}).insert()
		self.assertEqual(document.text_sha256, hashlib.sha256(b"I agree.").hexdigest())
		self.assertEqual((document.given_to, document.withdrawn_at), ("Administrator", None))
		new = template(5, self.employee, captured_at=spoken(moments.utc_now()))
		(receipt,) = face_templates.take(self.agent, {"templates": [new], "consents": []})
		self.assertEqual(receipt["outcome"], "accepted")
