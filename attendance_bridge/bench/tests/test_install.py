"""What the app has put on the site, and that uninstalling knows of all of it."""

from __future__ import annotations

import frappe
from frappe.model import no_value_fields

from attendance_bridge import hooks, install
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.custom_fields import CUSTOM_FIELDS


class TestInstall(IntegrationTestCase):
	def test_custom_fields_are_there_once(self) -> None:
		install.after_install()
		for doctype, fields in CUSTOM_FIELDS.items():
			for field in fields:
				found = frappe.get_all("Custom Field", {"dt": doctype, "fieldname": field["fieldname"]})
				self.assertEqual(len(found), 1)
				if field["fieldtype"] not in no_value_fields:
					self.assertIn(field["fieldname"], frappe.db.get_table_columns(doctype))

	def test_the_lookup_of_a_check_in_has_its_index(self) -> None:
		plan = frappe.db.sql(
			"EXPLAIN SELECT `name` FROM `tabEmployee Checkin`"
			" WHERE `employee` = 'HR-EMP-00001' AND `time` = '2026-01-01 08:00:00'",
			as_dict=True,
		)
		self.assertTrue(frappe.db.has_index("tabEmployee Checkin", install.CHECKIN_INDEX))
		self.assertIn(install.CHECKIN_INDEX, plan[0].possible_keys)

	def test_log_settings_clear_old_runs(self) -> None:
		settings = frappe.get_doc("Log Settings")
		settings.add_default_logtypes()
		registered = {row.ref_doctype: row.days for row in settings.logs_to_clear}
		self.assertEqual(registered["Device Sync Log"], 90)

	def test_every_hook_leads_somewhere(self) -> None:
		paths = [
			hooks.after_install,
			hooks.before_uninstall,
			*hooks.permission_query_conditions.values(),
			*hooks.has_permission.values(),
			*(path for paths in hooks.scheduler_events["cron"].values() for path in paths),
			*hooks.scheduler_events["daily_long"],
			*(
				path
				for events in hooks.doc_events.values()
				for paths in events.values()
				for path in ([paths] if isinstance(paths, str) else paths)
			),
		]
		for path in paths:
			with self.subTest(path=path):
				self.assertTrue(callable(frappe.get_attr(path)))

	def test_punches_are_found_by_their_indexes(self) -> None:
		for columns in (
			["status", "occurred_utc"],
			["employee", "occurred_utc"],
			["status", "device_user_id", "device_serial"],
			["device_serial", "occurred_utc"],
			["employee_checkin"],
		):
			rows = frappe.db.sql("SHOW INDEX FROM `tabPunch Log`", as_dict=True)
			indexes: dict[str, list[str]] = {}
			for row in sorted(rows, key=lambda row: (row.Key_name, row.Seq_in_index)):
				indexes.setdefault(row.Key_name, []).append(row.Column_name)
			self.assertIn(columns, indexes.values())

	def test_what_is_decided_about_a_punch_moves_no_entry_by_time_of_change(self) -> None:
		frappe.get_attr("attendance_bridge.patches.drop_index_on_modified.execute")()
		self.assertFalse(frappe.db.get_column_index("tabPunch Log", "modified"))
