"""What this site has added to the making of an Employee Checkin.

Rows that are written without `insert()` are right only where nothing but HRMS itself has a say. Whatever else
may look at a new check-in, or fill it, is looked for here; one find, and each check-in is made the long way.
"""

from __future__ import annotations

from collections.abc import Iterator

import frappe
from frappe.model.base_document import get_controller

from attendance_bridge.bench import compat

DOCTYPE = "Employee Checkin"

_HRMS_MODULE = "hrms.hr.doctype.employee_checkin.employee_checkin"

_EVENTS_OF_INSERT = (
	"before_insert",
	"before_naming",
	"autoname",
	"before_validate",
	"validate",
	"before_save",
	"after_insert",
	"on_update",
	"on_change",
)

_OWN_HANDLER = "attendance_bridge.bench.workdays.due.checkin_changed"
"""`checkins` says of the rows that it writes what this says of a document."""

_HANDLERS_WITHOUT_EFFECT = frozenset(
	{
		# Counts in the sidebar; kept in a cache that runs out.
		"frappe.desk.notifications.clear_doctype_notifications",
		# Each of these goes by documents that `_DOCUMENTS` looks for.
		"frappe.workflow.doctype.workflow_action.workflow_action.process_workflow_actions",
		"frappe.automation.doctype.assignment_rule.assignment_rule.apply",
		"frappe.automation.doctype.assignment_rule.assignment_rule.update_due_date",
		"frappe.automation.doctype.milestone_tracker.milestone_tracker.evaluate_milestone",
		"frappe.social.doctype.energy_point_rule.energy_point_rule.process_energy_points",
		"erpnext.support.doctype.service_level_agreement.service_level_agreement.apply",
		# Attach fields: a custom one is found by `_custom_fields`.
		"frappe.core.doctype.file.utils.attach_files_to_document",
		# Only for the doctype that a custom User Type applies to, which is Employee.
		"frappe.core.doctype.user_type.user_type.apply_permissions_for_non_standard_user_type",
		# Only doctypes with a field `company`.
		"erpnext.setup.doctype.transaction_deletion_record.transaction_deletion_record.check_for_running_deletion_job",
		# Only doctypes whose class says what is to be logged; another class is found by `_other_controller`.
		"frappe.core.doctype.permission_log.permission_log.make_perm_log",
		# Only doctypes that an app's search covers: `_site_settings` asks.
		"frappe.search.sqlite_search.update_doc_index",
	}
)
"""Handlers on every doctype that come with Frappe and ERPNext, v15 or v16, and leave a check-in as it is."""

_DOCUMENTS = (
	("Workflow", {"document_type": DOCTYPE, "is_active": 1}),
	("Server Script", {"reference_doctype": DOCTYPE, "script_type": "DocType Event", "disabled": 0}),
	("Notification", {"document_type": DOCTYPE, "enabled": 1}),
	("Webhook", {"webhook_doctype": DOCTYPE, "enabled": 1}),
	("Assignment Rule", {"document_type": DOCTYPE, "disabled": 0}),
	("Milestone Tracker", {"document_type": DOCTYPE, "disabled": 0}),
	("Energy Point Rule", {"reference_doctype": DOCTYPE, "enabled": 1}),
	("Service Level Agreement", {"document_type": DOCTYPE, "enabled": 1}),
	("Document Naming Rule", {"document_type": DOCTYPE, "disabled": 0}),
)
"""Documents by which a site makes something happen with a new check-in."""

_PROPERTIES_OF_APPEARANCE = frozenset(
	{
		"allow_bulk_edit",
		"allow_in_quick_entry",
		"bold",
		"collapsible",
		"columns",
		"default_print_format",
		"description",
		"field_order",
		"hidden",
		"ignore_user_permissions",
		"in_filter",
		"in_list_view",
		"in_preview",
		"in_standard_filter",
		"label",
		"no_copy",
		"permlevel",
		"print_hide",
		"print_width",
		"quick_entry",
		"read_only",
		"report_hide",
		"search_fields",
		"search_index",
		"sort_field",
		"sort_order",
		"width",
	}
)
"""Customised properties that do not reach what `insert()` writes; every other one may."""

_OWN_FIELDS = frozenset({"punch_log"})


def customs() -> list[str]:
	"""What makes `insert()` do more than HRMS alone, as words for a log; empty if nothing does."""
	return [
		*_other_controller(),
		*_hooks(),
		*(doctype for doctype, filters in _DOCUMENTS if _exists(doctype, filters)),
		*_custom_fields(),
		*_customised_properties(),
		*_site_settings(),
	]


def _exists(doctype: str, filters: dict[str, object]) -> bool:
	# Not every version has each of these doctypes.
	return bool(frappe.db.table_exists(doctype) and frappe.db.exists(doctype, filters))


def _other_controller() -> Iterator[str]:
	controller = get_controller(DOCTYPE)
	if controller.__module__ != _HRMS_MODULE:
		yield f"class {controller.__module__}.{controller.__qualname__}"


def _hooks() -> Iterator[str]:
	hooks = frappe.get_doc_hooks()
	for event in _EVENTS_OF_INSERT:
		for handler in hooks.get(DOCTYPE, {}).get(event, ()):
			if handler != _OWN_HANDLER:
				yield handler
		for handler in hooks.get("*", {}).get(event, ()):
			if handler not in _HANDLERS_WITHOUT_EFFECT:
				yield handler


def _custom_fields() -> Iterator[str]:
	for field in frappe.get_meta(DOCTYPE).get("fields", {"is_custom_field": 1}):
		if field.fieldname in _OWN_FIELDS:
			continue
		fills_itself = field.default or field.fetch_from or field.fieldtype in ("Attach", "Attach Image")
		if fills_itself or field.reqd or field.mandatory_depends_on or field.unique:
			yield f"field {field.fieldname}"


def _customised_properties() -> Iterator[str]:
	for setter in frappe.get_all(
		"Property Setter", filters={"doc_type": DOCTYPE}, fields=["field_name", "property"], order_by=None
	):
		if setter.property not in _PROPERTIES_OF_APPEARANCE:
			yield f"property {setter.field_name or DOCTYPE}.{setter.property}"


def _site_settings() -> Iterator[str]:
	if frappe.db.get_single_value("HR Settings", "allow_geolocation_tracking"):
		yield "geolocation tracking"
	if frappe.get_meta(DOCTYPE).get_global_search_fields():
		yield "global search"
	if compat.is_searched(DOCTYPE):
		yield "full-text search"
	if frappe.db.get_value("User", frappe.session.user, "follow_created_documents"):
		yield "document follow"
