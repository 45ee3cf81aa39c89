"""Takes away what the app put on the site and Frappe leaves there. Employee Checkins stay."""

from __future__ import annotations

import frappe

from attendance_bridge.bench import vault
from attendance_bridge.bench.agents import AGENT_DOMAIN
from attendance_bridge.custom_fields import CUSTOM_FIELDS, MODULE
from attendance_bridge.install import AGENT_ROLE, INDEXES

_TRACES = (
	("__Auth", "doctype"),
	("Singles", "doctype"),
	("Comment", "reference_doctype"),
	("Version", "ref_doctype"),
	("Logs To Clear", "ref_doctype"),
	("Deleted Document", "deleted_doctype"),
)
"""Tables that hold something about documents of this app (their secrets first of all), and the column that
names the doctype. Frappe drops the tables of the doctypes only."""


def before_uninstall() -> None:
	remove_custom_fields()
	remove_indexes()
	remove_agent_users()
	remove_agent_role()
	remove_scheduled_jobs()
	remove_series()
	remove_traces()
	vault.drop_table()


def remove_custom_fields() -> None:
	"""The columns too: Frappe leaves them behind, and nothing would ever fill them again."""
	for doctype, fields in CUSTOM_FIELDS.items():
		for field in fields:
			frappe.db.delete("Custom Field", {"dt": doctype, "fieldname": field["fieldname"]})
			frappe.db.delete("Property Setter", {"doc_type": doctype, "field_name": field["fieldname"]})
			if field["fieldname"] in frappe.db.get_table_columns(doctype):
				frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP COLUMN `{field['fieldname']}`")
		frappe.clear_cache(doctype=doctype)


def remove_indexes() -> None:
	for doctype, _, name in INDEXES:
		if frappe.db.has_index(f"tab{doctype}", name):
			frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX `{name}`")


def remove_agent_users() -> None:
	"""The users that the app made for its agents; those of people stay."""
	for user in frappe.get_all("Edge Agent", {"user": ("like", f"%@{AGENT_DOMAIN}")}, pluck="user"):
		frappe.db.delete("Edge Agent", {"user": user})
		frappe.delete_doc("User", user, force=True, ignore_missing=True, ignore_permissions=True)


def remove_agent_role() -> None:
	frappe.db.delete("Has Role", {"role": AGENT_ROLE})
	frappe.delete_doc("Role", AGENT_ROLE, force=True, ignore_missing=True, ignore_permissions=True)


def remove_scheduled_jobs() -> None:
	"""Without waiting for the next migration: the scheduler would run into the missing app until then."""
	ours = {"method": ("like", "attendance_bridge.%")}
	jobs = frappe.get_all("Scheduled Job Type", filters=ours, pluck="name")
	frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": ("in", jobs or [""])})
	frappe.db.delete("Scheduled Job Type", ours)


def remove_series() -> None:
	"""The counters of names that only this app's documents draw from."""
	for prefix in ("DSL-", "FACE-CONSENT-", "FACE-ERASURE-", "PUSH-COMMAND-", "OT-APPROVAL-"):
		frappe.db.delete("Series", {"name": ("like", f"{prefix}%")})


def remove_traces() -> None:
	doctypes = frappe.get_all("DocType", filters={"module": MODULE}, pluck="name")
	for table, column in _TRACES:
		frappe.db.delete(table, {column: ("in", doctypes)})
