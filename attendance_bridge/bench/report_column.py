"""What Script Reports are made of: columns, cells, figures of a summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import frappe
from frappe.utils import formatdate

from attendance_bridge.bench.permissions import visible_employees

_FORMULA = re.compile(r"[=+\-@\t\r]")
_MOST_WITH_MONTH = 12
_ANGLES = {ord("<"): "‹", ord(">"): "›"}
_NUMBER = re.compile(r"[+-][\d .,]+")
_NUMERIC_TYPES = frozenset({"Currency", "Duration", "Float", "Int", "Percent"})


def column(label: str, fieldname: str, fieldtype: str, width: int, **more: Any) -> dict[str, Any]:
	"""A link to what the reader may not read is a text: Frappe would refuse them the whole report."""
	if fieldtype == "Link" and not frappe.has_permission(more["options"], "read"):
		fieldtype = "Data"
	if fieldtype not in _NUMERIC_TYPES:
		# The table would take a column for numbers whose first cell is empty.
		more.setdefault("align", "left")
	return {"label": label, "fieldname": fieldname, "fieldtype": fieldtype, "width": width, **more}


def employee_columns(label: str, name_label: str, department_label: str) -> list[dict[str, Any]]:
	"""Who it is; the labels come translated.

	Only who sees everybody gets links to Employee: Frappe takes rows out whose link a User Permission does
	not name, and ERPNext gives each employee one for their own record, the head of a department as well.
	"""
	sees_all = visible_employees() is None
	return [
		column(label, "employee", "Link", 150, options="Employee")
		if sees_all
		else column(label, "employee", "Data", 150),
		column(name_label, "employee_name", "Data", 160),
		column(department_label, "department", "Link", 130, options="Department"),
	]


def bars_by_date(
	dates: Sequence[date], series: Iterable[tuple[str, Sequence[float]]], colours: Sequence[str]
) -> dict[str, Any]:
	"""A chart of stacked bars, one for each date; of many dates there is only room for the day of the month.

	:param series: name and values, one for each date.
	"""
	return {
		"type": "bar",
		"colors": list(colours),
		"barOptions": {"stacked": True},
		"data": {
			"labels": [
				str(day.day) if len(dates) > _MOST_WITH_MONTH else formatdate(day, "d MMM") for day in dates
			],
			"datasets": [{"name": name, "values": list(values)} for name, values in series],
		},
	}


def figure(label: str, value: int | str, indicator: str) -> dict[str, Any]:
	"""One figure of a summary."""
	return {"label": label, "value": str(value), "indicator": indicator, "datatype": "Data"}


def harmless(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
	"""Rows of which no cell is markup to a browser, or a formula to the program that opens their file.

	Whoever named an employee or a terminal wrote a text. One that begins as a formula gets an apostrophe in
	front; a number with its sign stays.
	"""
	return [{field: harmless_cell(value) for field, value in row.items()} for row in rows]


def harmless_cell(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	if _FORMULA.match(value) and not _NUMBER.fullmatch(value):
		value = f"'{value}"
	return value.translate(_ANGLES) if "<" in value else value
