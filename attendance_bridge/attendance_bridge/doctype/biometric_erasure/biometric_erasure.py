# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document


class BiometricErasure(Document):
	"""The proof that face templates of somebody were erased. Written by `bench.erasing`, never deleted."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.erasure_confirmation.erasure_confirmation import (
			ErasureConfirmation,
		)

		confirmations: DF.Table[ErasureConfirmation]
		employee: DF.Link | None
		employee_name: DF.Data | None
		erased_at: DF.Datetime | None
		erased_by: DF.Data | None
		erased_utc: DF.Datetime | None
		id_hashes: DF.LongText | None
		ids_sha256: DF.Data | None
		reason: DF.Literal["Withdrawn", "Left", "Replaced", "Requested", "Not Central"]
		templates: DF.Int
		unconfirmed: DF.Int
	# end: auto-generated types

	def before_insert(self) -> None:
		if not self.flags.by_erasing:
			frappe.throw(
				_("The record of an erasure is written by the erasure itself."), frappe.PermissionError
			)

	def validate(self) -> None:
		if not self.is_new():
			frappe.throw(_("The record of an erasure cannot be edited."))

	def on_trash(self) -> None:
		frappe.throw(_("The record of an erasure is kept as a proof, and cannot be deleted."))
