"""The people an agent may know, and what has changed about them since it last asked; see `bench.walk`.

A walk goes over all people by name, or over the changed ones by the time of their change.
"""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import walk as walks
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import SentFields
from attendance_bridge.bench.walk import Walk

LONGEST_PAGE = 1000

_COLUMNS = (
	"`name`, `attendance_device_id`, `employee_name`, `status`, `department`, `designation`, `company`,"
	" `branch`, `default_shift`, `modified`"
)


def page(agent: Agent, token: object, page_length: object) -> dict[str, Any]:
	"""One page of people, and the token for what follows it; see docs/protocols/agent-api.md.

	Asks two statements when nothing has changed.

	:raises BadFieldError: an argument of the wrong type.
	"""
	fields = SentFields({"token": token, "page_length": page_length})
	length = fields.whole("page_length", 1, LONGEST_PAGE, default=LONGEST_PAGE)
	scope = walks.scope_of(agent.company, agent.branch)
	walk = walks.resume(fields.text("token", walks.MAX_TOKEN_LENGTH), scope)
	rows = _everybody(agent, walk, length) if walk.whole else _changed(walk, length)
	more = len(rows) > length
	rows = rows[:length]
	within = [row for row in rows if _is_within(row, agent)]
	gone = [row.name for row in rows if not _is_within(row, agent)]
	if walk.first and not walk.whole:
		gone += _deleted(walk)
	return {
		"people": [_person(row) for row in within],
		"gone": gone,
		"whole": walk.whole and walk.first,
		"more": more,
		"token": (walk.moved(rows[-1].name, str(rows[-1].modified)) if more else walk.ended()).to_token(),
	}


def _everybody(agent: Agent, walk: Walk, length: int) -> list[Any]:
	conditions, values = ["`name` > %s"], [walk.after]
	for column, wanted in (("company", agent.company), ("branch", agent.branch)):
		if wanted:
			conditions.append(f"`{column}` = %s")
			values.append(wanted)
	return _select(" AND ".join(conditions), "`name`", values, length)


def _changed(walk: Walk, length: int) -> list[Any]:
	"""Of any company: who has left the agent's is to be forgotten there."""
	if not walk.first:
		condition = "(`modified`, `name`) > (%s, %s) AND `modified` >= %s"
		at = walk.after_modified
		return _select(condition, "`modified`, `name`", [at, walk.after, at], length)
	return _select("`modified` >= %s", "`modified`, `name`", [walk.looking_back], length)


def _select(condition: str, order: str, values: list[Any], length: int) -> list[Any]:
	rows: list[Any] = frappe.db.sql(
		f"SELECT {_COLUMNS} FROM `tabEmployee` WHERE {condition} ORDER BY {order} LIMIT %s",  # noqa: S608
		(*values, length + 1),
		as_dict=True,
	)
	return rows


def _deleted(walk: Walk) -> list[str]:
	since = walk.looking_back
	return frappe.db.sql_list(
		# Frappe has an index on `modified` or on `creation`, by its version.
		"SELECT `deleted_name` FROM `tabDeleted Document` WHERE `deleted_doctype` = 'Employee'"
		" AND `creation` >= %s AND `modified` >= %s"
		" AND NOT EXISTS (SELECT 1 FROM `tabEmployee` WHERE `name` = `deleted_name`)",
		(since, since),
	)


def _is_within(row: Any, agent: Agent) -> bool:
	return (not agent.company or row.company == agent.company) and (
		not agent.branch or row.branch == agent.branch
	)


def _person(row: Any) -> dict[str, str]:
	return {
		"employee": row.name,
		"attendance_device_id": row.attendance_device_id or "",
		"full_name": row.employee_name or "",
		"status": row.status or "",
		"department": row.department or "",
		"designation": row.designation or "",
		"company": row.company or "",
		"branch": row.branch or "",
		"shift": row.default_shift or "",
	}
