# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import hashlib

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench import moments


class FaceConsent(Document):
	"""One time that an employee agreed to be recognised. `bench.consents` ends it; nobody edits it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		company: DF.Link | None
		consent_text: DF.LongText | None
		edge_agent: DF.Link | None
		employee: DF.Link
		employee_name: DF.Data | None
		end_reason: DF.Literal["", "Withdrawn", "Left"]
		given_at: DF.Datetime | None
		given_to: DF.Data | None
		given_utc: DF.Datetime | None
		text_language: DF.Data | None
		text_sha256: DF.Data | None
		text_version: DF.Data
		withdrawn_at: DF.Datetime | None
		withdrawn_by: DF.Data | None
	# end: auto-generated types

	def before_insert(self) -> None:
		if not self.flags.from_agent:
			self._give_at_the_desk()

	def _give_at_the_desk(self) -> None:
		if not (self.consent_text or "").strip():
			frappe.throw(_("The very words that the employee agreed to are needed."), frappe.MandatoryError)
		now = moments.utc_now().replace(microsecond=0)
		self.given_at, self.given_utc = moments.to_site(now), moments.to_utc(now)
		self.given_to, self.edge_agent = frappe.session.user, None
		self.text_sha256 = hashlib.sha256(self.consent_text.strip().encode()).hexdigest()
		self.withdrawn_at = self.withdrawn_by = None
		self.end_reason = ""

	def validate(self) -> None:
		if not self.is_new():
			frappe.throw(_("A consent stays as it was given. It can be withdrawn."))

	def on_trash(self) -> None:
		frappe.throw(_("A consent is kept as a proof, and cannot be deleted. It can be withdrawn."))


def on_doctype_update() -> None:
	frappe.db.add_unique("Face Consent", ["employee", "given_utc"], "employee_given_utc")
