"""What an agent is to know of faces: whole people, a page at a time, and what it has to erase.

A walk (`bench.walk`) goes over people by name: over all with a face or a consent, or over those about whom
something has changed since the walk before began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import frappe

from attendance_bridge.bench import consents, erasing, moments, vault
from attendance_bridge.bench import walk as walks
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.face_templates import within_scope
from attendance_bridge.bench.sent_faces import spell_template
from attendance_bridge.bench.sent_fields import BadFieldError, SentFields, sent_list, spell_moment
from attendance_bridge.bench.walk import Walk

LONGEST_PAGE = 100
MOST_MODELS = 8
MAX_MODEL_LENGTH = 140
ENOUGH_TEXT = 3 * 1024 * 1024
"""Characters of vectors after which a page ends, so that an answer stays within what an agent takes."""

_KNOWN = (
	"(EXISTS (SELECT 1 FROM `tabFace Consent` c WHERE c.`employee` = e.`name`)"
	" OR EXISTS (SELECT 1 FROM `tabFace Template` t WHERE t.`employee` = e.`name`)"
	" OR EXISTS (SELECT 1 FROM `tabBiometric Erasure` b WHERE b.`employee` = e.`name`))"
)
_CHANGED = (
	"(e.`modified` >= %(since)s"
	" OR e.`name` IN (SELECT `employee` FROM `tabFace Consent` WHERE `modified` >= %(since)s)"
	" OR e.`name` IN (SELECT `employee` FROM `tabFace Template` WHERE `modified` >= %(since)s)"
	" OR e.`name` IN (SELECT `employee` FROM `tabBiometric Erasure` WHERE `modified` >= %(since)s))"
)


def page(agent: Agent, body: Mapping[str, Any]) -> dict[str, Any]:
	"""One page; see docs/protocols/agent-api.md.

	:raises BadFieldError: a field of the wrong type.
	"""
	fields = SentFields(body)
	length = fields.whole("page_length", 1, LONGEST_PAGE, default=LONGEST_PAGE)
	models = _models(body.get("models"))
	central = erasing.keeps_templates()
	scope = walks.scope_of(agent.company, agent.branch, models, central)
	walk = walks.resume(fields.text("token", walks.MAX_TOKEN_LENGTH), scope)
	names = _names(walk, length)
	more = len(names) > length
	within = within_scope(agent, names[:length])
	people, done = _people(names[:length], within, models if central else [])
	more = more or done < len(names[:length])
	covered = names[:done]
	return {
		"central": central,
		"whole": walk.whole and walk.first,
		"more": more,
		"token": (walk.moved(covered[-1]) if more else walk.ended()).to_token(),
		"people": people,
		"gone": [name for name in covered if name not in within],
		"erasures": [] if more else [_spell_erasure(row) for row in erasing.outstanding(agent.name)],
	}


def _models(sent: object) -> list[str]:
	models = sent_list(sent, MOST_MODELS, "models")
	if not all(isinstance(model, str) and 0 < len(model) <= MAX_MODEL_LENGTH for model in models):
		raise BadFieldError("models")
	return sorted(set(models))


def _names(walk: Walk, length: int) -> list[str]:
	"""Of any company: who has left the agent's is to be forgotten there."""
	conditions = _KNOWN if walk.whole else f"{_KNOWN} AND {_CHANGED}"
	return frappe.db.sql_list(
		f"SELECT e.`name` FROM `tabEmployee` e WHERE e.`name` > %(after)s AND {conditions}"  # noqa: S608
		" ORDER BY e.`name` LIMIT %(limit)s",
		{"after": walk.after, "since": walk.looking_back, "limit": length + 1},
	)


def _people(
	names: Sequence[str], within: Mapping[str, Any], models: Sequence[str]
) -> tuple[list[dict[str, Any]], int]:
	"""The people of a page, and how many of its names are done with."""
	agreed = consents.latest(within)
	held = _templates(list(within), models)
	people: list[dict[str, Any]] = []
	text = 0
	for done, name in enumerate(names):
		if name not in within:
			continue
		if text > ENOUGH_TEXT:
			return people, done
		rows = held.get(name, [])
		vectors = vault.opened(rows)
		templates = [
			spell_template(row, moments.from_utc(row.captured_utc), vectors.get(row.name)) for row in rows
		]
		text += sum(len(template["vector"]) for template in templates)
		people.append({"employee": name, "consent": _spell_consent(agreed.get(name)), "templates": templates})
	return people, len(names)


def _templates(employees: Sequence[str], models: Sequence[str]) -> dict[str, list[Any]]:
	rows = (
		frappe.get_all(
			"Face Template",
			filters={"employee": ("in", employees), "model": ("in", models)},
			fields=["name", "employee", "model", "pose", "quality", "captured_utc", "captured_by"],
			order_by="captured_utc, name",
		)
		if employees and models
		else []
	)
	found: dict[str, list[Any]] = {}
	for row in rows:
		# The database compares texts more loosely than a model is named.
		if row.model in models:
			found.setdefault(row.employee, []).append(row)
	return found


def _spell_consent(row: Any | None) -> dict[str, Any] | None:
	if row is None:
		return None
	return {
		"employee": row.employee,
		"given_at": spell_moment(moments.from_utc(row.given_utc)),
		"text_version": row.text_version or "",
		"text_sha256": row.text_sha256 or "",
		"text_language": row.text_language or "",
		"given_to": row.given_to or "",
		"withdrawn_at": spell_moment(moments.from_site(row.withdrawn_at)) if row.withdrawn_at else None,
	}


def _spell_erasure(row: Any) -> dict[str, str]:
	return {
		"erasure": row.name,
		"employee": row.employee,
		"reason": row.reason.lower(),
		"at": spell_moment(moments.from_utc(row.erased_utc)),
	}
