# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench import vault


class FaceTemplate(Document):
	"""What is known about one captured face. Its name is the template_id; the face is in `bench.vault`.

	Rows come from agents (`bench.face_templates`) and go with an erasure (`bench.erasing`), no other way.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		captured_at: DF.Datetime | None
		captured_by: DF.Data | None
		captured_utc: DF.Datetime | None
		company: DF.Link | None
		consent: DF.Link | None
		edge_agent: DF.Link | None
		employee: DF.Link | None
		employee_name: DF.Data | None
		model: DF.Data | None
		pose: DF.Data | None
		quality: DF.Float
	# end: auto-generated types

	def before_insert(self) -> None:
		if not self.flags.from_agent:
			frappe.throw(_("Face templates come from edge agents only."), frappe.PermissionError)

	def validate(self) -> None:
		if not self.is_new():
			frappe.throw(_("A face template is kept as it was captured, and cannot be edited."))

	def on_trash(self) -> None:
		frappe.throw(_("A face template is erased, with a record of it, not deleted: see the Employee."))


def on_doctype_update() -> None:
	frappe.db.add_index("Face Template", ["employee", "model"])
	vault.create_table()
