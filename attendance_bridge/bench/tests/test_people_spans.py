"""Of many people a span of time is read, not all that they ever did."""

from __future__ import annotations

from datetime import datetime, timedelta

import frappe
from frappe.tests.utils import FrappeTestCase

from attendance_bridge.bench import people_spans

ASKED, WITH_ROWS, DAYS = 1500, 100, 200
"""More are asked for than MariaDB looks up one by one unless it is told to."""
LAST_DAY = datetime(2026, 3, 2)
STATEMENT = (
	"SELECT `employee`, `time` FROM `tabEmployee Checkin`"
	" WHERE `employee` IN %(employees)s AND `time` >= %(first)s AND `time` < %(last)s ORDER BY `employee`"
)


class TestPeopleSpans(FrappeTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.addClassCleanup(frappe.db.rollback)
		asked = [f"ABT-SPAN-{number:04d}" for number in range(ASKED)]
		rows = [
			(f"{employee}-{day}", employee, LAST_DAY - timedelta(days=day) + timedelta(hours=8))
			for employee in asked[:WITH_ROWS]
			for day in range(DAYS)
		]
		frappe.db.bulk_insert("Employee Checkin", ("name", "employee", "time"), rows)
		cls.values = {"employees": asked, "first": LAST_DAY, "last": LAST_DAY + timedelta(days=1)}
		cls.expected = [(employee, LAST_DAY + timedelta(hours=8)) for employee in asked[:WITH_ROWS]]

	def test_rows_of_the_span(self) -> None:
		rows = people_spans.read(STATEMENT, self.values)
		self.assertEqual([(row.employee, row.time) for row in rows], self.expected)
		self.assertEqual(people_spans.read(STATEMENT, self.values, as_dict=False), self.expected)

	def test_reads_no_more_of_a_person_than_the_span(self) -> None:
		before = _rows_read()
		people_spans.read(STATEMENT, self.values)
		self.assertLess(_rows_read() - before, WITH_ROWS * DAYS / 10)

	def test_the_next_statement_is_as_any_other(self) -> None:
		people_spans.read(STATEMENT, self.values)
		((threshold,),) = frappe.db.sql("SELECT @@in_predicate_conversion_threshold")
		self.assertGreater(threshold, 0)


def _rows_read() -> int:
	"""Rows and entries of an index that this connection has stepped over."""
	rows = frappe.db.sql("SHOW SESSION STATUS LIKE 'Handler_read%%next'")
	return sum(int(value) for _name, value in rows)
