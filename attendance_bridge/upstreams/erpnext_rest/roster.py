"""Everybody whom the site employs, read whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.upstreams._frappe.answers import RefusedError, is_storable, name_of
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.erpnext_rest import site

MAX_PEOPLE = 500_000

_NEEDED = ("name", "attendance_device_id")
_FIELD_OF = {
	"employee_name": "full_name",
	"status": "status",
	"department": "department",
	"designation": "designation",
	"company": "company",
	"branch": "branch",
	"default_shift": "shift",
}
"""Employee's field → Person's. A site may lack one (`default_shift` is HRMS's) or keep it from the user."""


def read_people(client: Client, page_length: int) -> Iterator[Person]:
	"""Every Employee that the user may see, in order of name.

	:raises UpstreamError: the list could not be read whole.
	"""
	fields = _readable_fields(client)
	for row in _all_rows(client, fields, page_length):
		yield _person(row)


def _readable_fields(client: Client) -> Sequence[str]:
	"""All fields if the site gives them; else those that it gives when asked one by one."""
	everything = (*_NEEDED, *_FIELD_OF)
	if _is_readable(client, everything):
		return everything
	return (*_NEEDED, *(field for field in _FIELD_OF if _is_readable(client, ("name", field))))


def _is_readable(client: Client, fields: Sequence[str]) -> bool:
	try:
		site.list_rows(client, "Employee", fields, length=1)
	except RefusedError:
		# Frappe says DataError, PermissionError or the database's OperationalError, depending on its version.
		# If it is not about the fields, the listing itself is refused too, and says why.
		return False
	return True


def _all_rows(client: Client, fields: Sequence[str], page_length: int) -> Iterator[Mapping[str, object]]:
	"""Page by page until nothing new comes; a short page is not taken for the last one.

	Each page begins with the last row of the one before. If it does not, somebody was hired or removed
	meanwhile and the offsets no longer fit: a person might be missing from the list.
	"""
	count = 0
	last_name = ""
	while True:
		start = max(count - 1, 0)
		page = site.list_rows(client, "Employee", fields, start=start, length=page_length)
		if count:
			if not page or name_of(page[0]) != last_name:
				raise UpstreamError(Code.BUSY, retryable=True, doctype="Employee")
			page = page[1:]
		if not page:
			return
		yield from page
		count += len(page)
		last_name = name_of(page[-1])
		if count > MAX_PEOPLE:
			raise UpstreamError(Code.TOO_LARGE, doctype="Employee", limit=MAX_PEOPLE)


def _person(row: Mapping[str, object]) -> Person:
	employee = name_of(row)
	if not employee:
		raise UpstreamError(Code.GARBAGE, retryable=True, doctype="Employee")
	if "attendance_device_id" not in row:
		# Taken out by the site because the user lacks the field's permission level: a list in which
		# nobody has an id must not replace a good one.
		raise UpstreamError(Code.FORBIDDEN, doctype="Employee", field="attendance_device_id")
	others = {ours: _text(row.get(theirs)) for theirs, ours in _FIELD_OF.items()}
	return Person(employee=employee, attendance_device_id=_text(row["attendance_device_id"]), **others)


def _text(value: object) -> str:
	if value is None:
		return ""
	if isinstance(value, str) and is_storable(value):
		return value
	if isinstance(value, int) and not isinstance(value, bool):
		return str(value)
	raise UpstreamError(Code.GARBAGE, retryable=True, doctype="Employee")
