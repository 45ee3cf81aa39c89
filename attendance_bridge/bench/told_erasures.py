"""What agents tell of erasing: withdrawals and erasures made there, and that they have obeyed ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from attendance_bridge.bench import erasing, moments, turn
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.face_templates import within_scope
from attendance_bridge.bench.sent_faces import read_act
from attendance_bridge.bench.sent_fields import SentFields

_MAX_INT = 2**31 - 1

_Act = tuple[str, datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Confirmation:
	erasure: str
	at: datetime
	templates: int
	traces_gone_at: datetime | None


def take(agent: Agent, body: Mapping[str, Any]) -> dict[str, int]:
	"""Carry out what an agent tells, in one transaction; returns how much of it was news. Commits.

	:raises BadFieldError: a field of the wrong type.
	"""
	now = moments.utc_now()
	fields = SentFields(body)
	withdrawals = [read_act(each, now) for each in fields.tables("withdrawals", erasing.AT_ONCE)]
	requests = [read_act(each, now) for each in fields.tables("requests", erasing.AT_ONCE)]
	confirmed = [_confirmation(each, now) for each in fields.tables("confirmed", erasing.AT_ONCE)]
	return turn.alone(
		lambda: {
			"withdrawn": _act(agent, withdrawals, erasing.withdraw),
			"requested": _act(agent, requests, erasing.request),
			"confirmed": sum(_confirm(agent, each) for each in confirmed),
		}
	)


def _act(agent: Agent, acts: Sequence[_Act], act: Callable[..., bool]) -> int:
	people = within_scope(agent, [employee for employee, _at, _by in acts])
	return sum(
		act(employee, at=at, by=f"{agent.name}: {by}" if by else agent.name)
		for employee, at, by in acts
		if employee in people
	)


def _confirm(agent: Agent, told: _Confirmation) -> bool:
	return erasing.confirm(
		agent.name,
		told.erasure,
		at=told.at,
		templates=told.templates,
		traces_gone_at=told.traces_gone_at,
	)


def _confirmation(fields: SentFields, now: datetime) -> _Confirmation:
	traces = fields.moment("traces_gone_at")
	return _Confirmation(
		erasure=fields.text("erasure"),
		at=min(fields.moment("at") or now, now),
		templates=fields.whole("templates", 0, _MAX_INT),
		traces_gone_at=min(traces, now) if traces else None,
	)
