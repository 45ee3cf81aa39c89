"""Everybody whom the agent has to know, kept up to date by changes."""

from __future__ import annotations

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.upstreams._frappe.answers import RefusedError, read_message
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.frappe_bridge.fields import (
	Json,
	flag_of,
	garbage,
	read_list,
	read_object,
	text_of,
)

ROSTER = "/api/method/attendance_bridge.api.edge.roster"
MAX_PEOPLE = 500_000
MAX_TOKEN_LENGTH = 1_000
_FIELDS = (
	"attendance_device_id",
	"full_name",
	"status",
	"department",
	"designation",
	"company",
	"branch",
	"shift",
)


class Roster:
	"""The people in memory, as of the last complete answer. Not to be used by two threads at a time."""

	def __init__(self, page_length: int) -> None:
		self._page_length = page_length
		self._people: dict[str, Person] = {}
		self._token = ""

	def refresh(self, client: Client) -> list[Person]:
		"""Ask for what has changed; returns everybody.

		:raises UpstreamError: not all changes could be had; what was known stays.
		"""
		try:
			people, token = self._changed(client, dict(self._people), self._token)
		except RefusedError:
			if not self._token:
				raise
			people, token = self._changed(client, {}, "")
		self._people, self._token = people, token
		return list(people.values())

	def _changed(
		self, client: Client, people: dict[str, Person], token: str
	) -> tuple[dict[str, Person], str]:
		seen: set[str] = set()
		while token not in seen:
			seen.add(token)
			wanted = {"token": token, "page_length": self._page_length}
			page = read_object(read_message(client.post(ROSTER, wanted)))
			if flag_of(page, "whole"):
				people.clear()
			for name in read_list(page.get("gone", []), MAX_PEOPLE):
				people.pop(str(name), None)
			for row in read_list(page.get("people"), MAX_PEOPLE):
				person = _person(read_object(row))
				people[person.employee] = person
			if len(people) > MAX_PEOPLE:
				raise UpstreamError(Code.TOO_LARGE, limit=MAX_PEOPLE)
			token = _token(page)
			if not flag_of(page, "more"):
				return people, token
		raise garbage()  # it goes round in a circle


def _token(page: Json) -> str:
	token = page.get("token")
	if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
		raise garbage()
	return token


def _person(row: Json) -> Person:
	return Person(
		employee=text_of(row, "employee", needed=True), **{field: text_of(row, field) for field in _FIELDS}
	)
