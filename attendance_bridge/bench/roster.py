"""The people an agent may know, and what has changed about them since it last asked.

A walk goes over all people by name, or over the changed ones by the time of their change, a page at a time.
Its token says how far it has come, and when it began: the next walk asks for what changed since. Transactions
that commit late carry an earlier time than their commit, so each walk looks back a little further.

Not every change leaves a trace (an Employee may be renamed, or removed in the database), so that everybody is
sent anew once a day.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import SentFields

LONGEST_PAGE = 1000
OVERLAP = timedelta(minutes=15)
"""Longer than any transaction that changes an Employee takes to commit."""
WHOLE_EVERY = timedelta(days=1)

MAX_TOKEN_LENGTH = 1024

_COLUMNS = (
	"`name`, `attendance_device_id`, `employee_name`, `status`, `department`, `designation`, `company`,"
	" `branch`, `default_shift`, `modified`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
	"""Where a walk stands, as its token says it."""

	whole: bool
	"""Over everybody, not only over those who changed."""
	scope: str
	"""Whom the agent got when it began; somebody else now means to begin anew."""
	whole_at: float
	"""When the last walk over everybody began; seconds since 1970, as all moments here."""
	began_at: float
	since: float = 0.0
	"""Changes from then on are asked for."""
	after_modified: str = ""
	after_name: str = ""
	"""The last person of the last page; empty at the beginning."""

	def to_token(self) -> str:
		return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


def page(agent: Agent, token: object, page_length: object) -> dict[str, Any]:
	"""One page of people, and the token for what follows it; see docs/protocols/agent-api.md.

	Asks two statements when nothing has changed.

	:raises BadFieldError: an argument of the wrong type.
	"""
	fields = SentFields({"token": token, "page_length": page_length})
	length = fields.whole("page_length", 1, LONGEST_PAGE, default=LONGEST_PAGE)
	walk = _resumed(fields.text("token", MAX_TOKEN_LENGTH), agent, moments.utc_now())
	first = not walk.after_name
	rows = _everybody(agent, walk, length) if walk.whole else _changed(walk, length)
	more = len(rows) > length
	rows = rows[:length]
	within = [row for row in rows if _is_within(row, agent)]
	gone = [row.name for row in rows if not _is_within(row, agent)]
	if first and not walk.whole:
		gone += _deleted(walk)
	return {
		"people": [_person(row) for row in within],
		"gone": gone,
		"whole": walk.whole and first,
		"more": more,
		"token": (_moved(walk, rows[-1]) if more else _next(walk)).to_token(),
	}


def _resumed(token: str, agent: Agent, now: datetime) -> _Walk:
	walk, scope = _read(token), _scope(agent)
	known = walk is not None and walk.scope == scope and walk.began_at <= now.timestamp()
	if walk is None or not known or now - _moment(walk.whole_at) > WHOLE_EVERY:
		return _Walk(whole=True, scope=scope, whole_at=now.timestamp(), began_at=now.timestamp())
	return walk if walk.after_name else replace(walk, began_at=now.timestamp())


def _read(token: str) -> _Walk | None:
	"""The walk of a token; None if it is none of ours, or of another version."""
	try:
		found = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
		walk = _Walk(**found)
		if [type(value) for value in asdict(walk).values()] != [bool, str, float, float, float, str, str]:
			return None
		for seconds in (walk.whole_at, walk.began_at, walk.since):
			_moment(seconds)
	except (ValueError, TypeError, OverflowError, OSError, RecursionError, binascii.Error):
		return None
	return walk


def _moved(walk: _Walk, last: Any) -> _Walk:
	return replace(walk, after_modified=str(last.modified), after_name=last.name)


def _next(walk: _Walk) -> _Walk:
	return replace(walk, whole=False, since=walk.began_at, after_modified="", after_name="")


def _everybody(agent: Agent, walk: _Walk, length: int) -> list[Any]:
	conditions, values = ["`name` > %s"], [walk.after_name]
	for column, wanted in (("company", agent.company), ("branch", agent.branch)):
		if wanted:
			conditions.append(f"`{column}` = %s")
			values.append(wanted)
	return _select(" AND ".join(conditions), "`name`", values, length)


def _changed(walk: _Walk, length: int) -> list[Any]:
	"""Of any company: who has left the agent's is to be forgotten there."""
	if walk.after_name:
		condition = "(`modified`, `name`) > (%s, %s) AND `modified` >= %s"
		at = walk.after_modified
		return _select(condition, "`modified`, `name`", [at, walk.after_name, at], length)
	return _select("`modified` >= %s", "`modified`, `name`", [_looking_back(walk)], length)


def _select(condition: str, order: str, values: list[Any], length: int) -> list[Any]:
	rows: list[Any] = frappe.db.sql(
		f"SELECT {_COLUMNS} FROM `tabEmployee` WHERE {condition} ORDER BY {order} LIMIT %s",  # noqa: S608
		(*values, length + 1),
		as_dict=True,
	)
	return rows


def _deleted(walk: _Walk) -> list[str]:
	since = _looking_back(walk)
	return frappe.db.sql_list(
		# Frappe has an index on `modified` or on `creation`, by its version.
		"SELECT `deleted_name` FROM `tabDeleted Document` WHERE `deleted_doctype` = 'Employee'"
		" AND `creation` >= %s AND `modified` >= %s"
		" AND NOT EXISTS (SELECT 1 FROM `tabEmployee` WHERE `name` = `deleted_name`)",
		(since, since),
	)


def _looking_back(walk: _Walk) -> datetime:
	"""From when on changes are asked for, in site time; where clocks went back meanwhile, from earlier on."""
	return min(moments.to_site(_moment(walk.since)), moments.to_site(_moment(walk.began_at))) - OVERLAP


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


def _scope(agent: Agent) -> str:
	return hashlib.sha256(json.dumps([agent.company, agent.branch]).encode()).hexdigest()[:16]


def _moment(seconds: float) -> datetime:
	return datetime.fromtimestamp(seconds, timezone.utc)
