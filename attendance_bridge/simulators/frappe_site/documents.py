"""Reading and creating documents: what `/api/resource` and the methods of `frappe.client` have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from attendance_bridge.simulators.frappe_site import checkin_rules, errors, query
from attendance_bridge.simulators.frappe_site.collation import fold
from attendance_bridge.simulators.frappe_site.doctypes import (
	EMPLOYEE,
	EMPLOYEE_CHECKIN,
	NOT_PLAYED,
	PLAYED,
	SYSTEM_SETTINGS,
	DocType,
	Kind,
)
from attendance_bridge.simulators.frappe_site.errors import (
	NotPlayedError,
	Said,
	SiteError,
	crashed,
	no_role,
	thrown,
)
from attendance_bridge.simulators.frappe_site.records import CheckIn
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.values import as_integer, as_json_value

Form = Mapping[str, Any]
"""The arguments of a request by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
	"""The documents of one site, as one user may see them during one request."""

	state: SiteState
	user: str
	window: Callable[[], None]
	"""Called between the check and the insert of a check-in."""
	commits: bool
	"""Whether what this request inserts stays: after a GET, frappe rolls back."""
	origin: str = ""
	"""The site's address as the client spells it."""

	def doctype(self, name: object) -> DocType:
		"""
		:raises SiteError: there is no such type (404; or 403 for a user who may not read types).
		:raises NotPlayedError: it exists on a real site only.
		"""
		name = str(name)
		found = PLAYED.get(name)
		if found is not None:
			return found
		if name in NOT_PLAYED:
			raise NotPlayedError(f"document type {name}")
		if self.user != self.state.user or "System Manager" not in self.state.roles:
			raise no_role(self.user, "DocType", traceback=False)
		raise thrown(errors.NOT_FOUND, "DocType", name, exc_type="DoesNotExistError", status=404)

	def listing(self, doctype_name: object, form: Form) -> list[dict[str, object]]:
		"""`frappe.client.get_list`: fields, filters, order_by, limit_start, limit_page_length.

		:raises SiteError: no permission, or arguments that frappe does not take.
		"""
		if form.get("or_filters") or form.get("group_by") or form.get("as_dict") not in (None, "", 1, True):
			raise NotPlayedError("or_filters, group_by and as_dict")
		doctype = self.doctype(doctype_name)
		fields = query.parse_fields(doctype, form.get("fields"))
		conditions = query.parse_conditions(doctype, form.get("filters") or [])
		if not self.state.permits(self.user, doctype):
			raise no_role(self.user, doctype.name, traceback=True)
		found = filter(self._is_shown, query.select(self._candidates(doctype, conditions), conditions))
		arranged = query.arrange(doctype, found, form.get("order_by"))
		page = query.cut(arranged, form.get("limit_start"), form.get("limit_page_length", 20))
		return query.project(page, fields)

	def settings(self, doctype: DocType) -> dict[str, str]:
		"""The values of a single document, all of them text, as the database keeps them."""
		if doctype is SYSTEM_SETTINGS:
			return {"name": doctype.name, "time_zone": self.state.time_zone, "language": "en"}
		tracking = "1" if "geolocation" in self.state.faults else "0"
		return {"name": doctype.name, "allow_geolocation_tracking": tracking}

	def count(self, doctype_name: object, filters: object) -> int:
		"""`frappe.client.get_count`, which asks for no permission and goes straight to the database.

		:raises SiteError: there is no such table, or no such column.
		"""
		try:
			doctype = self.doctype(doctype_name)
		except SiteError:
			text = f"(1146, \"Table 'tab{doctype_name}' doesn't exist\")"
			raise crashed("ProgrammingError", text, module="pymysql.err") from None
		try:
			conditions = query.parse_conditions(doctype, filters or [])
		except SiteError as error:
			if error.exc_type != "DataError":
				raise
			raise errors.unknown_column(str(error.values[0]), "WHERE") from None
		return sum(1 for _ in query.select(self._candidates(doctype, conditions), conditions))

	def get(self, doctype_name: object, name: str) -> dict[str, object]:
		"""One document whole, without its empty columns.

		:raises SiteError: no such document, no permission.
		"""
		doctype = self.doctype_of_document(doctype_name)
		row = self._existing(doctype, name)
		if not self.state.permits(self.user, doctype) or not self._is_shown(row):
			said = Said(errors.NO_ACCESS, (self.user, doctype.name, self.user))
			raise SiteError(403, "PermissionError", messages=[said])
		return as_document(doctype, row)

	def has_permission(self, doctype_name: object, name: str, right: str) -> bool:
		"""Whether the user may do this to a document; with an empty name, to any of that type.

		:raises SiteError: no such document.
		"""
		doctype = self.doctype(doctype_name)
		row = self._existing(doctype, name) if name else None
		return self.state.permits(self.user, doctype, right) and (row is None or self._is_shown(row))

	def insert(self, documents: list[Mapping[str, object]], *, named: bool = False) -> list[CheckIn]:
		"""Insert check-ins, all or none.

		:param named: whether they may bring their names.
		:raises SiteError: one is refused.
		"""
		request = checkin_rules.Request(
			user=self.user, origin=self.origin, window=self.window, commits=self.commits
		)
		return checkin_rules.insert(self.state, request, documents, named=named)

	def doctype_of_document(self, name: object) -> DocType:
		"""As `doctype`, for one document: the class of its type is looked for first.

		:raises SiteError: there is no such class.
		"""
		try:
			return self.doctype(name)
		except SiteError:
			module = str(name).lower().replace(" ", "_").replace("-", "_")
			text = (
				f"Module import failed for {name}, the DocType you're trying to open might be deleted.\n"
				f"Error: No module named 'frappe.core.doctype.{module}'"
			)
			raise crashed("ImportError", text) from None

	def _is_shown(self, row: Any) -> bool:
		employee = getattr(row, "employee", None)
		return employee is None or self.state.shows(employee)

	def _existing(self, doctype: DocType, name: str) -> Any:
		row = self._find(doctype, name)
		if row is not None:
			return row
		if not self.state.permits(self.user, doctype):
			raise no_role(self.user, doctype.name, traceback=False)
		raise thrown(errors.NOT_FOUND, doctype.name, name, exc_type="DoesNotExistError", status=404)

	def _find(self, doctype: DocType, name: str) -> Any:
		if doctype is EMPLOYEE:
			return self.state.employees.find(name)
		if doctype is EMPLOYEE_CHECKIN:
			return self.state.table.find(name)
		values = self.settings(doctype)
		return SimpleNamespace(**{field: cast_setting(doctype, field, values[field]) for field in values})

	def _candidates(self, doctype: DocType, conditions: list[query.Condition]) -> Iterable[Any]:
		"""All rows that can meet the conditions, by an index if one of them allows."""
		if doctype is EMPLOYEE:
			return self.state.employees
		if doctype.single:
			raise NotPlayedError("a list of a single document")
		names = _exact(conditions, "name")
		if names is not None:
			return filter(None, (self.state.table.find(str(name)) for name in _once(names)))
		employees = _exact(conditions, "employee")
		if employees is None:
			return self.state.table
		moments = _exact(conditions, "time")
		if moments is None:
			return (row for employee in _once(employees) for row in self.state.table.of(employee))
		return self._at(_once(employees), query.readable_times(moments))

	def _at(self, employees: list[str], moments: Collection[datetime]) -> Iterable[CheckIn]:
		for employee in employees:
			for moment in moments:
				yield from self.state.table.at(employee, moment)


def cast_setting(doctype: DocType, field: str, text: str | None) -> object:
	"""The value of a single document's field as Frappe hands it out."""
	return as_integer(text) if doctype.columns[field] is Kind.NUMBER else text


def _exact(conditions: list[query.Condition], column: str) -> list[Any] | None:
	for condition in conditions:
		if condition.column == column and condition.exact_values is not None:
			return condition.exact_values
	return None


def _once(values: list[Any]) -> list[str]:
	return list(dict.fromkeys(fold(str(value).strip()) for value in values))


def as_document(doctype: DocType, row: Any) -> dict[str, object]:
	"""`Document.as_dict(no_nulls=True)`."""
	found = {column: getattr(row, column, None) for column in doctype.columns}
	document = {column: as_json_value(value) for column, value in found.items() if value is not None}
	document["doctype"] = doctype.name
	return document
