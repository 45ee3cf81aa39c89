"""The app's side of faces on the simulated site, as docs/protocols/agent-api.md says. Plays several agents.

Nothing is locked away here: this is a simulator.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

MAX_CONSENTS = 1_000
MAX_TEMPLATES = 100
MAX_MODELS = 8
MAX_ERASURES = 500
KEPT_OF_A_MODEL = 20

Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class SiteErasure:
	name: str
	employee: str
	reason: str
	at: str
	ids: list[str]
	unconfirmed: set[str]
	confirmed: dict[str, Row] = field(default_factory=dict)
	"""By agent: what it told."""


@dataclass(kw_only=True)
class FaceShelf:
	"""Templates, consents and erasures of a site; guarded by the lock of the site's state."""

	agents: set[str] = field(default_factory=set)
	central: bool = True
	templates: dict[str, Row] = field(default_factory=dict)
	consents: list[Row] = field(default_factory=list)
	erasures: list[SiteErasure] = field(default_factory=list)
	changes: list[str] = field(default_factory=list)
	"""Whoever something happened to, in its order; a token is a place in it."""
	era: int = 0
	"""Another one makes every token unknown."""

	def latest(self, employee: str) -> Row | None:
		own = [row for row in self.consents if row["employee"] == employee]
		return max(own, key=lambda row: str(row["given_at"]), default=None)

	def erased_until(self, employee: str) -> str:
		return max(
			(each.at for each in self.erasures if each.employee == employee and each.reason != "replaced"),
			default="",
		)

	def note(self, consent: Row) -> None:
		"""Enter a consent, or learn that one was withdrawn."""
		key = (consent["employee"], consent["given_at"])
		held = next((row for row in self.consents if (row["employee"], row["given_at"]) == key), None)
		if held is None:
			held = {**consent, "withdrawn_at": None}
			self.consents.append(held)
			self.changes.append(consent["employee"])
		if consent["withdrawn_at"] and not held["withdrawn_at"]:
			self.withdraw(consent["employee"], max(consent["withdrawn_at"], consent["given_at"]))

	def withdraw(self, employee: str, at: str) -> bool:
		"""Take back what somebody agreed to up to a moment; whether it was news."""
		open_ones = [
			row
			for row in self.consents
			if row["employee"] == employee and row["given_at"] <= at and not row["withdrawn_at"]
		]
		for row in open_ones:
			row["withdrawn_at"] = at
		known = any(each.employee == employee and each.reason == "withdrawn" for each in self.erasures)
		if not open_ones and known and not self._captured_until(employee, at):
			return False
		self.erase(employee, "withdrawn", at)
		return True

	def request(self, employee: str, at: str) -> bool:
		if self.erased_until(employee) >= at:
			return False
		self.erase(employee, "requested", at)
		return True

	def erase(self, employee: str, reason: str, at: str, ids: list[str] | None = None) -> None:
		gone = self._captured_until(employee, at) if ids is None else ids
		for each in gone:
			del self.templates[each]
		unconfirmed = set() if reason == "replaced" else set(self.agents)
		number = len(self.erasures) + 1
		name = f"FACE-ERASURE-{number:05d}"
		self.erasures.append(
			SiteErasure(name=name, employee=employee, reason=reason, at=at, ids=gone, unconfirmed=unconfirmed)
		)
		self.changes.append(employee)

	def _captured_until(self, employee: str, at: str) -> list[str]:
		return [
			key
			for key, row in self.templates.items()
			if row["employee"] == employee and row["captured_at"] <= at
		]

	def put(self, sent: Row, employees: Mapping[str, str]) -> tuple[str, str, bool]:
		"""Hold a template; outcome, reason, and whether it was known."""
		if not is_template(sent):
			return "rejected", "bad_template", False
		employee, template_id = sent["employee"], sent["template_id"]
		known = self.templates.get(template_id)
		if known is not None and (known["employee"], known["model"]) != (employee, sent["model"]):
			return "rejected", "bad_template", False
		if employee not in employees:
			return "rejected", "unknown_employee", False
		if employees[employee] == "Left":
			return "rejected", "left", False
		consent = self.latest(employee)
		if consent is None or consent["withdrawn_at"]:
			return "rejected", "consent_missing", False
		if sent["captured_at"] <= self.erased_until(employee):
			return "rejected", "erased", False
		if not self.central:
			return "retry", "not_central", False
		if known is None:
			self.templates[template_id] = dict(sent)
			self.changes.append(employee)
		return "accepted", "", known is not None

	def page(self, agent: str, token: str, length: int, models: list[str], gone: set[str]) -> Row:
		"""See the protocol. A token: what was asked for; where changes begin (-1: everybody); how far."""
		scope = f"{self.era}|{','.join(sorted(models))}|{self.central}"
		known, _, place = token.rpartition("#")
		whole = known != scope
		since, began, after = (-1, len(self.changes), "") if whole else _place(place)
		if not after and not whole:
			since, began = began, len(self.changes)
		everybody = since < 0
		names = sorted(
			{row["employee"] for row in self.consents} | {row["employee"] for row in self.templates.values()}
			if everybody
			else set(self.changes[since:])
		)
		left = [name for name in names if name > after]
		covered, more = left[:length], len(left) > length
		following = f"{since},{began},{covered[-1]}" if more else f"{since},{began},"
		return {
			"central": self.central,
			"whole": everybody and not after,
			"more": more,
			"token": f"{scope}#{following}",
			"people": [self._person(name, models) for name in covered if name not in gone],
			"gone": [name for name in covered if name in gone],
			"erasures": [] if more else self._orders(agent),
		}

	def _person(self, employee: str, models: list[str]) -> Row:
		templates = [
			row
			for row in self.templates.values()
			if self.central and row["employee"] == employee and row["model"] in models
		]
		return {"employee": employee, "consent": self.latest(employee), "templates": templates}

	def _orders(self, agent: str) -> list[Row]:
		return [
			{"erasure": each.name, "employee": each.employee, "reason": each.reason, "at": each.at}
			for each in self.erasures
			if agent in each.unconfirmed
		][:MAX_ERASURES]

	def confirm(self, agent: str, told: Row) -> bool:
		"""Whether it was news."""
		found = next((each for each in self.erasures if each.name == told.get("erasure")), None)
		if found is None or agent not in found.unconfirmed | found.confirmed.keys():
			return False
		news = agent in found.unconfirmed
		found.unconfirmed.discard(agent)
		found.confirmed[agent] = dict(told)
		return news


def second(moment: str) -> str:
	"""A moment as it comes, to the second, and not in the future."""
	read = datetime.fromisoformat(moment.removesuffix("Z").removesuffix("+00:00"))
	read = read.replace(tzinfo=timezone.utc)
	past = min(read, datetime.now(timezone.utc)).replace(microsecond=0, tzinfo=None)
	return f"{past.isoformat()}Z"


def is_template(row: Row) -> bool:
	try:
		vector = base64.b64decode(row["vector"], validate=True)
		numbers = struct.unpack(f"<{len(vector) // 4}f", vector)
		return (
			str(UUID(row["template_id"])) == row["template_id"]
			and abs(sum(number * number for number in numbers) - 1) < 0.02
			and bool(row["employee"] and row["model"])
		)
	except (KeyError, TypeError, ValueError, AttributeError, struct.error):
		return False


def _place(text: str) -> tuple[int, int, str]:
	since, began, after = text.split(",", 2)
	return int(since), int(began), after
