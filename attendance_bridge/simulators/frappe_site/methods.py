"""The methods under `/api/method`: which there are, who may call them how, and what they return."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attendance_bridge.simulators.frappe_site import errors, query
from attendance_bridge.simulators.frappe_site.collation import as_number
from attendance_bridge.simulators.frappe_site.doctypes import (
	EMPLOYEE,
	EMPLOYEE_CHECKIN,
)
from attendance_bridge.simulators.frappe_site.documents import Documents, Form, as_document, cast_setting
from attendance_bridge.simulators.frappe_site.errors import (
	HRMS,
	NotPlayedError,
	Said,
	SiteError,
	crashed,
	thrown,
)
from attendance_bridge.simulators.frappe_site.records import Employee
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.values import as_integer

MAX_DOCUMENTS = 200
ADD_LOG = "hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
_READ_AND_WRITE = frozenset({"GET", "POST", "PUT", "DELETE"})
_WRITE = frozenset({"POST", "PUT"})
_COLUMN = re.compile(r"\w*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
	"""One whitelisted function."""

	call: Callable[[Documents, Form], object]
	required: tuple[str, ...] = ()
	http_methods: frozenset[str] = field(default=_READ_AND_WRITE)
	for_guests: bool = False


def call(name: str, http_method: str, documents: Documents, form: Form) -> object:
	"""What `frappe.handler.execute_cmd` does; None means that the answer has no `message`.

	:raises SiteError: unknown, not allowed, an argument missing, or whatever the method raises.
	"""
	method = METHODS.get(name)
	if method is None:
		raise _unknown_method(name)
	if not method.for_guests and documents.user == "Guest":
		raise thrown(
			errors.LOGIN_FIRST, name, exc_type="PermissionError", status=403, title=errors.NOT_ALLOWED
		)
	if http_method not in method.http_methods:
		raise thrown(errors.NOT_PERMITTED, exc_type="PermissionError", status=403)
	missing = [f"'{each}'" for each in method.required if each not in form]
	if missing:
		plural = "s" if len(missing) > 1 else ""
		raise crashed(
			"TypeError",
			f"{name.rpartition('.')[2]}() missing {len(missing)} required positional argument{plural}: "
			f"{' and '.join(missing)}",
		)
	return method.call(documents, form)


def _unknown_method(name: str) -> Exception:
	module, dot, function = name.rpartition(".")
	app = name.partition(".")[0]
	if name in NOT_PLAYED:
		return NotPlayedError(f"method {name}")
	if not dot:
		return thrown(errors.NO_METHOD, name, f"'{name}'")
	if app not in ("frappe", "erpnext", "hrms"):
		missing = Said(errors.APP_MISSING, (app,), indicator="red", raises=True)
		return thrown(errors.NO_METHOD, name, f"App {app} is not installed", before=[missing])
	if name in _MODULES:
		return crashed("AttributeError", f"module '{name}' has no attribute '__module__'")
	if module not in _MODULES:
		return thrown(errors.NO_METHOD, name, f"No module named '{module}'")
	return thrown(errors.NO_METHOD, name, f"module '{module}' has no attribute '{function}'")


def _ping(documents: Documents, form: Form) -> object:
	return "pong"


def _get_logged_user(documents: Documents, form: Form) -> object:
	return documents.user


def _get_time_zone(documents: Documents, form: Form) -> object:
	# Whatever the method's help text says: the zone of the asking user comes before that of the site.
	if documents.user == documents.state.user and documents.state.user_time_zone:
		return {"time_zone": documents.state.user_time_zone}
	return {"time_zone": documents.state.time_zone}


def _get_versions(documents: Documents, form: Form) -> object:
	return {
		app: {"title": app, "description": app, "branch": "version-15", "version": version}
		for app, version in documents.state.versions.items()
	}


def _get_list(documents: Documents, form: Form) -> object:
	return documents.listing(form["doctype"], form)


def _get_count(documents: Documents, form: Form) -> object:
	return documents.count(form["doctype"], _filters(form))


def _get_value(documents: Documents, form: Form) -> object:
	doctype = documents.doctype(form["doctype"])
	if not documents.state.permits(documents.user, doctype):
		raise thrown(errors.NO_PERMISSION, doctype.name, exc_type="PermissionError", status=403)
	fields = _json_or_itself(form["fieldname"])
	if isinstance(fields, str):
		fields = [fields]
	filters = _filters(form)
	if doctype.single:
		return _get_settings(documents.settings(doctype), fields, filters)
	found = documents.listing(doctype.name, {"fields": fields, "filters": filters, "limit_page_length": 1})
	return found[0] if found else {}


def _get_settings(values: Mapping[str, str], fields: object, filters: object) -> dict[str, str]:
	if isinstance(filters, Mapping) and filters:
		# Filters on a single document choose between all of it and nothing; the fields are not looked at.
		return dict(values) if all(values.get(key) == value for key, value in filters.items()) else {}
	wanted = fields if isinstance(fields, list) else []
	return {field: values[field] for field in values if field in wanted}


def _get_single_value(documents: Documents, form: Form) -> object:
	doctype, field = documents.doctype(form["doctype"]), str(form["field"])
	if not documents.state.permits(documents.user, doctype):
		raise thrown(errors.NO_PERMISSION, doctype.name, exc_type="PermissionError", status=403)
	if not doctype.single:
		raise NotPlayedError("the single value of what is no single document")
	if field not in doctype.columns:
		raise thrown(errors.NO_FIELD, field, doctype.name)
	return cast_setting(doctype, field, documents.settings(doctype).get(field))


def _has_permission(documents: Documents, form: Form) -> object:
	arguments = {
		"doctype": form["doctype"],
		"docname": form["docname"],
		"perm_type": form.get("perm_type", "read"),
	}
	for name, value in arguments.items():
		if not isinstance(value, str):
			raise SiteError(417, "FrappeTypeError", errors.BAD_TYPE, name, type(value).__name__)
	doctype, docname, right = arguments.values()
	return {"has_permission": documents.has_permission(doctype, docname, right.lower())}


def _insert_many(documents: Documents, form: Form) -> object:
	wanted = form.get("docs")
	if isinstance(wanted, str):
		wanted = query.load_json(wanted)
	if not isinstance(wanted, list):
		raise crashed("TypeError", f"object of type '{type(wanted).__name__}' has no len()")
	if len(wanted) > MAX_DOCUMENTS:
		raise thrown(errors.TOO_MANY_DOCUMENTS)
	for document in wanted:
		if not isinstance(document, Mapping):
			raise crashed("ValueError", "dictionary update sequence element #0 has length 1; 2 is required")
		if documents.doctype(document.get("doctype")) is not EMPLOYEE_CHECKIN:
			raise NotPlayedError("inserting anything but Employee Checkin")
	return [row.name for row in documents.insert(wanted)]


def _add_log(documents: Documents, form: Form) -> object:
	try:
		return _add_log_in_hrms(documents, form)
	except SiteError as error:
		# Whatever goes wrong below this function, the traceback leads through HRMS.
		error.source = HRMS
		raise


def _add_log_in_hrms(documents: Documents, form: Form) -> object:
	wanted, timestamp = form["employee_field_value"], form["timestamp"]
	if not wanted or not timestamp:
		raise thrown(errors.REQUIRED)
	column = str(form.get("employee_fieldname", "attendance_device_id"))
	employee = _find_employee(documents.state, column, wanted)
	if employee is None:
		raise thrown(errors.NO_EMPLOYEE, column, wanted)
	(row,) = documents.insert(
		[
			{
				"employee": employee.name,
				"time": timestamp,
				"device_id": form.get("device_id"),
				"log_type": form.get("log_type"),
				"latitude": form.get("latitude"),
				"longitude": form.get("longitude"),
				"skip_auto_attendance": as_integer(form.get("skip_auto_attendance")) == 1,
			}
		]
	)
	return as_document(EMPLOYEE_CHECKIN, row)


def _find_employee(state: SiteState, column: str, wanted: object) -> Employee | None:
	if not _COLUMN.fullmatch(column):
		raise thrown(errors.BAD_FILTER, column)
	if column not in EMPLOYEE.columns:
		raise errors.unknown_column(column, "SELECT")
	if isinstance(wanted, (list, dict)):
		raise NotPlayedError("an employee_field_value that is no text and no number")
	if column == "attendance_device_id" and isinstance(wanted, str):
		return state.employees.find_by_device_id(wanted)
	if column == "name" and isinstance(wanted, str):
		return state.employees.find(wanted)
	if isinstance(wanted, (int, float)):
		# The database compares the column's text with a number: by number.
		matching = [each for each in state.employees if _is_number(getattr(each, column, None), wanted)]
	else:
		conditions = query.parse_conditions(EMPLOYEE, {column: wanted})
		matching = list(query.select(state.employees, conditions))
	return max(matching, key=lambda each: each.modified, default=None)


def _is_number(held: object, wanted: float) -> bool:
	return isinstance(held, str) and as_number(held) == wanted


def _filters(form: Form) -> Any:
	"""`get_safe_filters`: JSON if it is that, else the name of one document."""
	filters = _json_or_itself(form.get("filters"))
	return {"name": filters} if filters and isinstance(filters, (str, int, float)) else filters


def _json_or_itself(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	try:
		return json.loads(value)
	except (ValueError, RecursionError):
		return value


METHODS: Mapping[str, Method] = {
	"ping": Method(call=_ping, for_guests=True),
	"frappe.ping": Method(call=_ping, for_guests=True),
	"frappe.auth.get_logged_user": Method(call=_get_logged_user),
	"frappe.client.get_time_zone": Method(call=_get_time_zone, for_guests=True),
	"frappe.utils.change_log.get_versions": Method(call=_get_versions),
	"frappe.client.get_list": Method(call=_get_list, required=("doctype",)),
	"frappe.client.get_count": Method(call=_get_count, required=("doctype",)),
	"frappe.client.get_value": Method(call=_get_value, required=("doctype", "fieldname")),
	"frappe.client.get_single_value": Method(call=_get_single_value, required=("doctype", "field")),
	"frappe.client.has_permission": Method(call=_has_permission, required=("doctype", "docname")),
	"frappe.client.insert_many": Method(call=_insert_many, http_methods=_WRITE),
	ADD_LOG: Method(call=_add_log, required=("employee_field_value", "timestamp")),
}

NOT_PLAYED = frozenset(
	f"frappe.client.{name}"
	for name in (
		"attach_file", "bulk_update", "cancel", "delete", "get", "get_doc_permissions", "get_password",
		"insert", "is_document_amended", "rename_doc", "save", "set_value", "submit", "validate_link",
	)
)  # fmt: skip
"""A real site has these."""

_MODULES = frozenset({"hrms.api", "frappe.handler", *(name.rpartition(".")[0] for name in METHODS)})
"""Those whose functions this knows, so that it can tell a function that is missing from a whole module."""
