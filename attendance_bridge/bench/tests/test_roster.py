"""The people an agent gets, whole and by their changes, on the real site."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import moments, roster
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import BadFieldError
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises

EVERYBODY = Agent(name="ABT Agent")


class TestRoster(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		for name in ("ABT North", "ABT South"):
			if not frappe.db.exists("Branch", name):
				frappe.get_doc({"doctype": "Branch", "branch": name}).insert()
		self.addCleanup(frappe.db.delete, "Branch", {"name": ("like", f"{premises.MARK} %")})
		self.people = [premises.employee(number, device_user_id=f"abt{number}") for number in range(1, 6)]
		self._age()

	def _age(self) -> None:
		"""What was done so far lies behind every overlap."""
		before = moments.now() - timedelta(hours=1)
		frappe.db.sql("UPDATE `tabEmployee` SET `modified` = LEAST(`modified`, %s)", before)
		frappe.db.sql(
			"UPDATE `tabDeleted Document` SET `creation` = LEAST(`creation`, %s)"
			" WHERE `deleted_doctype` = 'Employee'",
			before,
		)

	def _walk(self, token: str = "", agent: Agent = EVERYBODY, length: int = 2) -> tuple[list[Any], str]:
		pages: list[Any] = []
		while not pages or pages[-1]["more"]:
			pages.append(roster.page(agent, token, length))
			token = pages[-1]["token"]
			self.assertLess(len(pages), 100)
		return pages, token

	def _names(self, pages: list[Any]) -> list[str]:
		return [person["employee"] for page in pages for person in page["people"]]

	def test_a_whole_list_in_pages(self) -> None:
		pages, _token = self._walk()
		names = self._names(pages)
		self.assertEqual(sorted(names), sorted(frappe.get_all("Employee", pluck="name")))
		self.assertEqual(len(names), len(set(names)))
		self.assertEqual([page["whole"] for page in pages], [True] + [False] * (len(pages) - 1))
		self.assertTrue(all(len(page["people"]) <= 2 for page in pages))
		self.assertEqual(self._names(self._walk(length=0)[0]), names)  # a page of one at the least

	def test_no_more_of_a_person_than_the_page_says(self) -> None:
		(page,), _token = self._walk(length=1000)
		person = next(person for person in page["people"] if person["employee"] == self.people[0])
		self.assertEqual(
			person,
			{
				"employee": self.people[0],
				"attendance_device_id": "abt1",
				"full_name": "Worker 001",
				"status": "Active",
				"department": "",
				"designation": "",
				"company": premises.company(),
				"branch": "",
				"shift": "",
			},
		)

	def test_nothing_new_takes_two_statements(self) -> None:
		_pages, token = self._walk()
		with patch.object(frappe.db, "sql", side_effect=frappe.db.sql) as sql:
			page = roster.page(EVERYBODY, token, 1000)
		self.assertEqual(sql.call_count, 2)
		self.assertEqual((page["people"], page["gone"], page["whole"], page["more"]), ([], [], False, False))

	def test_changes_since(self) -> None:
		_pages, token = self._walk()
		document = frappe.get_doc("Employee", self.people[2])
		document.attendance_device_id = "abt33"
		document.save()
		newcomer = premises.employee(6, device_user_id="abt6")
		pages, token = self._walk(token)
		self.assertEqual(sorted(self._names(pages)), sorted([self.people[2], newcomer]))
		self.assertFalse(any(page["whole"] for page in pages))
		self._age()
		self.assertEqual(self._names(self._walk(token)[0]), [])

	def test_a_transaction_that_commits_late_is_not_missed(self) -> None:
		_pages, token = self._walk()
		late = moments.now() - timedelta(minutes=10)
		frappe.db.set_value("Employee", self.people[0], "modified", late, update_modified=False)
		self.assertEqual(self._names(self._walk(token)[0]), [self.people[0]])

	def test_many_changed_at_the_same_moment(self) -> None:
		_pages, token = self._walk()
		at = moments.now()
		frappe.db.sql("UPDATE `tabEmployee` SET `modified` = %s WHERE `name` IN %s", (at, self.people))
		pages, _token = self._walk(token)
		self.assertEqual(self._names(pages), sorted(self.people))
		self.assertEqual(len(pages), 3)

	def test_whoever_is_deleted_is_gone(self) -> None:
		_pages, token = self._walk()
		frappe.delete_doc("Employee", self.people[4], force=True)
		pages, token = self._walk(token)
		self.assertEqual([page["gone"] for page in pages], [[self.people[4]]])
		restored = frappe.get_doc("Deleted Document", {"deleted_name": self.people[4]})
		document = frappe.get_doc(frappe.parse_json(restored.data))
		document.insert(set_name=self.people[4], ignore_links=True)
		(page,), _token = self._walk(token)
		self.assertEqual((page["gone"], self._names([page])), ([], [self.people[4]]))

	def test_an_agent_of_a_branch_gets_its_people_only(self) -> None:
		agent = Agent(name="ABT Agent", company=premises.company(), branch="ABT North")
		self._move(self.people[0], "ABT North")
		pages, token = self._walk(agent=agent)
		self.assertEqual(self._names(pages), [self.people[0]])
		self._move(self.people[0], "ABT South")
		self._move(self.people[1], "ABT North")
		(page,), token = self._walk(token, agent, length=1000)
		self.assertEqual((self._names([page]), page["gone"]), ([self.people[1]], [self.people[0]]))
		nowhere = Agent(name="ABT Agent", company="Nowhere")
		pages, _token = self._walk(token, nowhere)
		self.assertEqual((pages[0]["whole"], self._names(pages)), (True, []))

	def _move(self, employee: str, branch: str) -> None:
		document = frappe.get_doc("Employee", employee)
		document.branch = branch
		document.save()

	def test_a_token_that_is_none_of_ours_gets_everybody(self) -> None:
		token = self._walk()[1]
		decoded = base64.urlsafe_b64decode(token).decode()
		spoilt = [
			"x",
			"ÄÖ",
			token[:-8],
			base64.urlsafe_b64encode(b"[]").decode(),
			base64.urlsafe_b64encode(b"[" * 700).decode(),
			*(
				base64.urlsafe_b64encode(decoded.replace(old, new).encode()).decode()
				for old, new in (
					('"whole": false', '"whole": 0'),
					('"began_at": ', '"began_at": 9'),
					('"since": ', '"since": 1e300, "x": '),
					('"since": ', '"since": NaN, "x": '),
					('"since"', '"until"'),
				)
			),
		]
		for each in spoilt:
			with self.subTest(token=each):
				self.assertTrue(roster.page(EVERYBODY, each, 1)["whole"])
		for wrong in (5, ["x"], "x" * 2000):
			self.assertRaises(BadFieldError, roster.page, EVERYBODY, wrong, 1)
		self.assertRaises(BadFieldError, roster.page, EVERYBODY, "", "all")

	def test_everybody_comes_anew_once_a_day(self) -> None:
		token = self._walk()[1]
		now = moments.utc_now()
		for after, whole in ((timedelta(hours=23), False), (timedelta(hours=25), True)):
			with patch.object(moments, "utc_now", return_value=now + after):
				self.assertEqual(roster.page(EVERYBODY, token, 1)["whole"], whole)
