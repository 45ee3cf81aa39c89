"""Templates that agents bring: refused, recognised, or locked away, each with a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe

from attendance_bridge.bench import consents, erasing, moments, turn, vault
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.consents import End
from attendance_bridge.bench.erasing import Reason
from attendance_bridge.bench.sent_faces import read_consent, read_template
from attendance_bridge.bench.sent_fields import SentFields, sent_list
from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Template

DOCTYPE = "Face Template"
MOST_CONSENTS = 1000
MOST_TEMPLATES = 100
MOST_REPLACED = 1000
KEPT_OF_A_MODEL = 20
"""Of one person; the newest stay."""

ACCEPTED, REJECTED, RETRY = "accepted", "rejected", "retry"


def take(agent: Agent, body: Mapping[str, Any]) -> list[dict[str, Any]]:
	"""Note consents and hold templates, in one transaction; returns a receipt for each template. Commits.

	:raises BadFieldError: the body or a consent is not what it must be.
	"""
	now = moments.utc_now()
	fields = SentFields(body)
	given = [read_consent(each, now) for each in fields.tables("consents", MOST_CONSENTS)]
	sent = sent_list(body.get("templates"), MOST_TEMPLATES, "templates")
	read = [_read(each, now) for each in sent]
	replaced = [
		name for name in sent_list(body.get("replaced"), MOST_REPLACED, "replaced") if isinstance(name, str)
	]
	return turn.alone(lambda: _take(agent, given, read, replaced))


def within_scope(agent: Agent, employees: Sequence[str]) -> dict[str, Any]:
	"""Those of these people whom the agent may know: `name`, `employee_name`, `company`, `status`."""
	scope = {"company": agent.company, "branch": agent.branch}
	filters: dict[str, Any] = {column: wanted for column, wanted in scope.items() if wanted}
	filters["name"] = ("in", list(employees) or [""])
	fields = ["name", "employee_name", "company", "status"]
	rows = frappe.get_all("Employee", filters=filters, fields=fields, order_by=None)
	return {row.name: row for row in rows}


def note_consents(agent: Agent, given: Sequence[Consent]) -> None:
	"""Enter consents that are new, and withdraw those that were withdrawn; within a turn."""
	people = within_scope(agent, [consent.employee for consent in given])
	for consent in given:
		if consent.employee not in people:
			continue
		held = consents.find(consent.employee, consent.given_at)
		if held is None:
			consents.add(consent, agent.name)
			_end_if_withdrawn_since(consent)
		if consent.withdrawn_at is not None and (held is None or held.withdrawn_at is None):
			# Told late, it still ends this consent, though not those that were given after it.
			at = max(consent.withdrawn_at, consent.given_at)
			erasing.withdraw(consent.employee, at=at, by=consent.given_to or agent.name)


def _end_if_withdrawn_since(consent: Consent) -> None:
	"""Somebody may have withdrawn at the desk, or left, before the agent told of what they had agreed to."""
	for reason, end in ((Reason.WITHDRAWN, End.WITHDRAWN), (Reason.LEFT, End.LEFT)):
		last = erasing.last_erased([consent.employee], reason).get(consent.employee)
		if last is not None and last >= moments.to_utc(consent.given_at):
			consents.end(consent.employee, moments.from_utc(last), "", end)


def _read(sent: object, now: datetime) -> tuple[str, Template | None]:
	"""What is sent, and the id that it goes by in its receipt."""
	spelt = sent.get("template_id") if isinstance(sent, Mapping) else None
	name = spelt if isinstance(spelt, str) and len(spelt) <= 36 else ""
	try:
		return name, read_template(sent, now)
	except ValueError:
		return name, None


def _take(
	agent: Agent,
	given: Sequence[Consent],
	read: Sequence[tuple[str, Template | None]],
	replaced: Sequence[str],
) -> list[dict[str, Any]]:
	note_consents(agent, given)
	_erase_replaced(agent, replaced)
	templates = [template for _name, template in read if template is not None]
	shelf = _Shelf(agent, templates)
	receipts = []
	for name, template in read:
		outcome, reason, known = (
			(REJECTED, "bad_template", False) if template is None else shelf.put(template)
		)
		receipts.append({"template_id": name, "outcome": outcome, "known": known, "reason": reason})
	shelf.tidy()
	return receipts


def _erase_replaced(agent: Agent, names: Sequence[str]) -> None:
	filters = {"name": ("in", list(names) or [""])}
	rows = frappe.get_all(DOCTYPE, filters=filters, fields=["name", "employee"], order_by="employee")
	people = within_scope(agent, [row.employee for row in rows])
	now = moments.utc_now().replace(microsecond=0)
	for employee in people:
		gone = [row.name for row in rows if row.employee == employee]
		erasing.erase(employee, Reason.REPLACED, at=now, by=agent.name, names=gone)


class _Shelf:
	"""Where the templates of one request go, and what is known about their people."""

	def __init__(self, agent: Agent, templates: Sequence[Template]) -> None:
		employees = sorted({template.employee for template in templates})
		self._agent = agent
		self._central = erasing.keeps_templates()
		self._people = within_scope(agent, employees)
		self._consents = consents.latest(employees)
		self._erased = erasing.last_erased(employees)
		names = [str(template.template_id) for template in templates] or [""]
		rows = frappe.get_all(
			DOCTYPE,
			filters={"name": ("in", names)},
			fields=["name", "employee", "model"],
			order_by=None,
		)
		self._held = {row.name: (row.employee, row.model) for row in rows}
		self._grown: set[tuple[str, str]] = set()

	def put(self, template: Template) -> tuple[str, str, bool]:
		"""Hold a template; returns outcome, reason and whether it was known."""
		name, whose = str(template.template_id), (template.employee, template.model)
		if self._held.get(name, whose) != whose:
			return REJECTED, "bad_template", False
		refusal = self._refusal(template)
		if refusal is not None:
			return (RETRY if refusal == "not_central" else REJECTED), refusal, False
		if name in self._held:
			return ACCEPTED, "", True
		self._insert(template)
		vault.put(name, *whose, template.vector)
		self._held[name] = whose
		self._grown.add(whose)
		return ACCEPTED, "", False

	def _refusal(self, template: Template) -> str | None:
		person = self._people.get(template.employee)
		if person is None:
			return "unknown_employee"
		if person.status == "Left":
			return "left"
		consent = self._consents.get(template.employee)
		if consent is None or consent.withdrawn_at is not None:
			return "consent_missing"
		erased = self._erased.get(template.employee)
		if erased is not None and moments.to_utc(template.captured_at) <= erased:
			return "erased"
		return None if self._central else "not_central"

	def _insert(self, template: Template) -> None:
		person = self._people[template.employee]
		document = frappe.get_doc(
			{
				"doctype": DOCTYPE,
				"__newname": str(template.template_id),
				"employee": template.employee,
				"employee_name": person.employee_name,
				"company": person.company,
				"consent": self._consents[template.employee].name,
				"model": template.model,
				"pose": template.pose.value,
				"quality": template.quality,
				"captured_at": moments.to_site(template.captured_at),
				"captured_utc": moments.to_utc(template.captured_at),
				"edge_agent": self._agent.name,
				"captured_by": template.captured_by,
			}
		)
		document.flags.from_agent = True
		document.insert(ignore_permissions=True)

	def tidy(self) -> None:
		"""Older templates make room for newer ones."""
		for employee, model in self._grown:
			names = frappe.db.sql_list(
				"SELECT `name` FROM `tabFace Template` WHERE `employee` = %s AND `model` = %s"
				" ORDER BY `captured_utc` DESC, `name`",
				(employee, model),
			)
			if len(names) > KEPT_OF_A_MODEL:
				now = moments.utc_now().replace(microsecond=0)
				older = names[KEPT_OF_A_MODEL:]
				erasing.erase(employee, Reason.REPLACED, at=now, by=self._agent.name, names=older)
