"""What differs between the versions of Frappe and HRMS that this app runs on, v15 and v16, and nowhere else.

It goes by what is there, not by version numbers: what is carried back to v15 then works unasked, and so does
a distribution that counts its versions in its own way. The base class of tests has its shim in
`bench.testing`, so that nothing on a working site loads Frappe's test code.
"""

from __future__ import annotations

import frappe

_OVERTIME_TYPE = "overtime_type"


def overtime_fields(doctype: str) -> tuple[str, ...]:
	"""`overtime_type` where a doctype of HRMS has it, else nothing.

	v16: a Shift Type and a Shift Assignment name a kind of overtime, HRMS's shift functions hand it on under
	this name, and `insert()` writes it on the check-in. v15 knows no overtime.
	"""
	return (_OVERTIME_TYPE,) if frappe.get_meta(doctype).has_field(_OVERTIME_TYPE) else ()


def is_searched(doctype: str) -> bool:
	"""Whether an app's full-text search covers a doctype, so that `insert()` puts documents into its index.

	v16: apps declare searches by the hook `sqlite_search`. v15 has neither the hook nor the index.
	"""
	return any(
		doctype in getattr(frappe.get_attr(path), "INDEXABLE_DOCTYPES", ())
		for path in frappe.get_hooks("sqlite_search")
	)
