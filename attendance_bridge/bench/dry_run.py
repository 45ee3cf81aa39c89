"""What other rules would have made of past punches. Nothing is written.

Both sides are decided here, by the rules as they are and as they might be: what differs comes from the rules
alone, and not from the order in which the punches once came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import deciding, devices, punch_rows
from attendance_bridge.core.projection import Decision, DevicePolicy, Observation, Rules

MOST_DAYS = 62
MOST_PUNCHES = 20_000
PAGE_LENGTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
	"""Rules that might be."""

	rules: Rules
	policies: Mapping[str, DevicePolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
	"""One punch that would be decided otherwise."""

	before: Decision
	after: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
	punches: int
	"""How many were looked at."""
	changes: Sequence[Change] = field(default_factory=tuple)
	"""In order of time."""

	def counts(self) -> list[tuple[str, str, int]]:
		"""What becomes of what, and how often: IN, OUT or a status of Punch Log; the most frequent first."""
		kinds = Counter((outcome(change.before), outcome(change.after)) for change in self.changes)
		return [(before, after, count) for (before, after), count in kinds.most_common()]


def run(first: date, last: date, proposal: Proposal) -> DryRun:
	"""Decide the punches of some days twice, by wall clock of the site; both days included.

	:raises frappe.ValidationError: the days are in the wrong order, or there is too much of them.
	"""
	observations = _observations(first, last)
	standing = deciding.preview(observations, devices.policies(), devices.rules())
	proposed = deciding.preview(observations, proposal.policies, proposal.rules)
	changes = [
		Change(before=before, after=after)
		for before, after in zip(standing, proposed, strict=True)
		if _differs(before, after)
	]
	return DryRun(punches=len(observations), changes=changes)


def proposal(changed: Mapping[str, Any], device: str | None = None) -> Proposal:
	"""The present rules with some of them changed.

	:param changed: by field of Attendance Bridge Settings, and of Device Configuration if there is one.
	:param device: the terminal of which something is changed.
	:raises frappe.ValidationError: a value that the form would refuse as well.
	"""
	settings = frappe.get_doc(devices.SETTINGS)
	settings.update({name: value for name, value in changed.items() if settings.meta.has_field(name)})
	settings.validate()
	policies = devices.policies()
	if device:
		terminal = frappe.get_doc(devices.DOCTYPE, device)
		if not terminal.serial_number:
			frappe.throw(_("{0} has not been read yet: there are no punches to look at.").format(device))
		terminal.update({name: value for name, value in changed.items() if terminal.meta.has_field(name)})
		terminal.check_place()
		policies[terminal.serial_number] = devices.policy_of(terminal)
	return Proposal(rules=devices.rules_of(settings), policies=policies)


def describe(changes: Sequence[Change]) -> list[dict[str, Any]]:
	"""Some changes with what people know them by."""
	rows = {
		row.name: row
		for row in frappe.get_all(
			"Punch Log",
			filters={"name": ("in", [punch_rows.name_of(change.before.punch) for change in changes] or [""])},
			fields=["name", "occurred_at", "device", "device_user_id"],
		)
	}
	people = [decision.employee for change in changes for decision in (change.before, change.after)]
	names = dict(
		frappe.get_all(
			"Employee",
			filters={"name": ("in", people or [""])},
			fields=["name", "employee_name"],
			as_list=True,
		)
	)
	return [
		{
			**rows[punch_rows.name_of(change.before.punch)],
			"before": _described(change.before, names),
			"after": _described(change.after, names),
		}
		for change in changes
	]


def outcome(decision: Decision) -> str:
	"""IN or OUT of what would be a check-in, else the status of Punch Log."""
	return decision.log_type.value if decision.log_type else punch_rows.STATUS[decision.state]


def _described(decision: Decision, names: Mapping[str, str]) -> dict[str, str]:
	reason = decision.log_type_reason.value if decision.log_type_reason else decision.state_reason
	return {
		"outcome": outcome(decision),
		"reason": reason,
		"employee": decision.employee,
		"employee_name": names.get(decision.employee, ""),
	}


def _differs(before: Decision, after: Decision) -> bool:
	return (before.state, before.employee, before.log_type) != (after.state, after.employee, after.log_type)


def _observations(first: date, last: date) -> list[Observation]:
	if last < first:
		frappe.throw(_("The first date must not lie after the second."))
	if (last - first).days >= MOST_DAYS:
		frappe.throw(_("A range must not be longer than {0} days.").format(MOST_DAYS))
	rows = punch_rows.read_observations(
		"WHERE `status` <> 'Ignored' AND `occurred_at` >= %s AND `occurred_at` < %s"
		" ORDER BY `occurred_utc`, `name` LIMIT %s",
		(_midnight(first), _midnight(last + timedelta(days=1)), MOST_PUNCHES + 1),
	)
	if len(rows) > MOST_PUNCHES:
		frappe.throw(
			_("There are more than {0} punches between these dates. Choose fewer days.").format(MOST_PUNCHES)
		)
	return [punch_rows.observation(row) for row in rows]


def _midnight(day: date) -> datetime:
	return datetime.combine(day, time.min)
