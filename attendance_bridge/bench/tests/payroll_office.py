"""What a payroll needs on a site before it can pay anybody: components, a structure, assignments, slips."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import compat
from attendance_bridge.bench.tests import premises

OVERTIME, EXTRA, SNACKS, NIGHT_BILL = (
	f"{premises.MARK} {name}" for name in ("Overtime", "Extra Overtime", "Snacks", "Night Bill")
)
BASIC = f"{premises.MARK} Basic"
STRUCTURE = f"{premises.MARK} Structure"


def open_office() -> None:
	"""The salary components and the Salary Structure: once for all tests of a site."""
	for place, name in enumerate((BASIC, OVERTIME, EXTRA, SNACKS, NIGHT_BILL)):
		if not frappe.db.exists("Salary Component", name):
			frappe.get_doc(
				{
					"doctype": "Salary Component",
					"salary_component": name,
					"salary_component_abbr": f"ABT{place}",
					"type": "Earning",
					"depends_on_payment_days": int(name == BASIC),
				}
			).insert()
	if not frappe.db.exists("Salary Structure", STRUCTURE):
		frappe.get_doc(
			{
				"doctype": "Salary Structure",
				"__newname": STRUCTURE,
				"name": STRUCTURE,
				"company": premises.company(),
				"currency": _currency(),
				"payroll_frequency": "Monthly",
				"earnings": [
					{
						"salary_component": BASIC,
						"amount_based_on_formula": 1,
						"formula": "base",
						"depends_on_payment_days": 1,
					}
				],
			}
		).insert().submit()


def holiday_list(name: str, *holidays: date, weekly_off: int = 6) -> str:
	"""A Holiday List of 2026: a weekly off (6 is Sunday), and some holidays."""
	title = f"{premises.MARK} {name}"
	if frappe.db.exists("Holiday List", title):
		return title
	off = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
	rows = [
		{"holiday_date": day, "weekly_off": int(day not in holidays), "description": str(day)}
		for day in off
		if day.weekday() == weekly_off or day in holidays
	]
	document = {"doctype": "Holiday List", "holiday_list_name": title, "holidays": rows}
	return str(
		frappe.get_doc({**document, "from_date": date(2026, 1, 1), "to_date": date(2026, 12, 31)})
		.insert()
		.name
	)


_HOLIDAYS_OF = {"Employee": "holiday_list", "Company": "default_holiday_list"}
"""On v15 a field says it, on v16 a Holiday List Assignment."""


def give_holidays(owner: str, holidays: str, *, doctype: str = "Employee") -> None:
	"""
	:param doctype: of `owner`: Employee or Company.
	"""
	if not frappe.db.table_exists("Holiday List Assignment"):
		frappe.db.set_value(doctype, owner, _HOLIDAYS_OF[doctype], holidays)
		return
	frappe.get_doc(
		{
			"doctype": "Holiday List Assignment",
			"applicable_for": doctype,
			"assigned_to": owner,
			"holiday_list": holidays,
			"from_date": date(2026, 1, 1),
		}
	).insert().submit()


def assign(employee: str, base: float, start: date) -> None:
	frappe.get_doc(
		{
			"doctype": "Salary Structure Assignment",
			"employee": employee,
			"salary_structure": STRUCTURE,
			"company": premises.company(),
			"currency": _currency(),
			"from_date": start,
			"base": base,
		}
	).insert().submit()


def slip(employee: str, first: date, last: date) -> Any:
	"""A new Salary Slip, saved and not submitted."""
	return frappe.get_doc(
		{
			"doctype": "Salary Slip",
			"employee": employee,
			"company": premises.company(),
			"salary_structure": STRUCTURE,
			"posting_date": last,
			"start_date": first,
			"end_date": last,
			"payroll_frequency": "Monthly",
			"currency": _currency(),
			"exchange_rate": 1,
		}
	).insert()


def rule(title: str, **values: Any) -> str:
	"""An Overtime Rule that pays with the components of the office."""
	return (
		frappe.get_doc(
			{
				"doctype": "Overtime Rule",
				"title": f"{premises.MARK} {title}",
				"hour_is_worth": "Fixed Amount",
				"hourly_rate": 10,
				"overtime_component": OVERTIME,
				"overtime_multiplier": 1.25,
				"extra_overtime_component": EXTRA,
				"extra_overtime_multiplier": 1.5,
				"allowances": [
					{"allowance": "snacks", "from_hours": 1, "salary_component": SNACKS, "amount": 15},
					{
						"allowance": "night_bill",
						"from_hours": 5,
						"salary_component": NIGHT_BILL,
						"amount": 40,
					},
				],
				**values,
			}
		)
		.insert()
		.name
	)


def has_own_overtime() -> bool:
	return bool(compat.overtime_fields("Attendance"))


def _currency() -> str:
	return str(frappe.get_cached_value("Company", premises.company(), "default_currency"))
