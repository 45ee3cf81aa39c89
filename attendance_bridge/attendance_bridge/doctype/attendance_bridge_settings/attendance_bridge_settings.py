# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from attendance_bridge.bench import alerts, erasing, push_settings
from attendance_bridge.bench.anomalies import patterns

LONGEST_WORKING_DAY_HOURS = 24
LONGEST_DEBOUNCE_SECONDS = 3600
LONGEST_CLOCK_TOLERANCE_SECONDS = 3600
LONGEST_CORRECTION_MINUTES = 7 * 24 * 60
LONGEST_PATIENCE = 10_000
LONGEST_WAY_MINUTES = 24 * 60
LONGEST_TOGETHER_SECONDS = 60
_PATIENCE = ("dark_after", "agent_silent_after", "held_after", "full_within", "quiet_hours")


class AttendanceBridgeSettings(Document):
	"""Rules for all terminals (`bench.devices.rules` hands them to the projection), and for faces."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		agent_silent_after: DF.Int
		backlog_limit: DF.Int
		capacity_limit: DF.Int
		clock_tolerance: DF.Int
		correct_clocks: DF.Check
		daily_summary: DF.Check
		dark_after: DF.Int
		debounce: DF.Int
		face_retention_days: DF.Int
		full_within: DF.Int
		held_after: DF.Int
		keep_no_templates: DF.Check
		largest_correction: DF.Int
		least_travel_minutes: DF.Int
		pairing_open_until: DF.Datetime | None
		push_body_kib: DF.Int
		push_enabled: DF.Check
		push_networks: DF.SmallText | None
		push_requests_a_minute: DF.Int
		push_restart: DF.Check
		push_token: DF.Password | None
		quiet_hours: DF.Int
		together_days: DF.Int
		together_seconds: DF.Int
		trusted_proxies: DF.SmallText | None
		unmapped_limit: DF.Int
		working_day_hours: DF.Int
	# end: auto-generated types

	def validate(self) -> None:
		self._check_range("clock_tolerance", 1, LONGEST_CLOCK_TOLERANCE_SECONDS)
		self._check_range("debounce", 0, LONGEST_DEBOUNCE_SECONDS)
		self._check_range("working_day_hours", 1, LONGEST_WORKING_DAY_HOURS)
		self._check_push()
		self._check_alerts()
		self._check_anomalies()

	def summary_of_yesterday(self) -> list[str]:
		"""For the Notification "Attendance Bridge Daily Summary"."""
		return alerts.summary()

	def _check_alerts(self) -> None:
		# As in `_check_push`: a site from before these fields could not save anything else either.
		for fieldname in (
			"largest_correction",
			"capacity_limit",
			*_PATIENCE,
			"backlog_limit",
			"unmapped_limit",
		):
			if self.get(fieldname) is None:
				self.set(fieldname, cint(self.meta.get_field(fieldname).default))
		self._check_range("largest_correction", 0, LONGEST_CORRECTION_MINUTES)
		self._check_range("capacity_limit", 1, 100)
		for fieldname in _PATIENCE:
			self._check_range(fieldname, 1, LONGEST_PATIENCE)

	def _check_anomalies(self) -> None:
		self._check_range("least_travel_minutes", 0, LONGEST_WAY_MINUTES)
		self._check_range("together_seconds", 0, LONGEST_TOGETHER_SECONDS)
		self._check_range("together_days", 0, patterns.MOST_DAYS)

	def _check_push(self) -> None:
		# A site from before these fields has nothing in them.
		self.push_requests_a_minute = self.push_requests_a_minute or push_settings.CALLS
		self.push_body_kib = self.push_body_kib or push_settings.BODY_KIB
		self._check_range("push_requests_a_minute", push_settings.LEAST_CALLS, push_settings.MOST_CALLS)
		self._check_range("push_body_kib", push_settings.LEAST_BODY_KIB, push_settings.MOST_BODY_KIB)
		push_settings.check_gate(self, "push_networks", "trusted_proxies")

	def on_update(self) -> None:
		if self.has_value_changed("keep_no_templates") or self.has_value_changed("face_retention_days"):
			erasing.queue_clean_up()

	def _check_range(self, fieldname: str, least: int, most: int) -> None:
		if not least <= (self.get(fieldname) or 0) <= most:
			label = _(self.meta.get_label(fieldname))
			frappe.throw(_("{0} must lie between {1} and {2}.").format(frappe.bold(label), least, most))
