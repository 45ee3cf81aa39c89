"""What the morning board asks: permission, then one answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.permissions import SEE_ALL, require_role
from attendance_bridge.bench.workdays import choice, morning

LONGEST_PAUSE = timedelta(minutes=10)
"""Who has not asked for so long gets everything."""


@frappe.whitelist()
def board(
	date: str | None = None,
	company: str | None = None,
	branch: str | None = None,
	department: str | None = None,
	shift: str | None = None,
	since: str | None = None,
) -> dict[str, Any]:
	"""Where everybody is whom the user may see; of today by default.

	:param since: the `now` of the answer before: only people of whom something was written after it.
	:returns: `now`, `date`, `whole` (False: only who has changed), `people` (see `bench.workdays.morning`).
	"""
	require_role(*SEE_ALL, "Leave Approver")
	frappe.has_permission("Punch Log", "read", throw=True)
	now = moments.utc_now()
	site_now = moments.to_site(now)
	chosen = choice.of_filters(
		{
			"date": date or site_now.date(),
			"company": company,
			"branch": branch,
			"department": department,
			"shift": shift,
		}
	)
	before = _moment(since) if since else None
	whole = before is None or not timedelta() <= site_now - before <= LONGEST_PAUSE
	if before is not None and not whole:
		chosen = morning.changed_since(chosen, before)
	return {
		"now": site_now,
		"date": chosen.first,
		"whole": whole,
		"people": morning.look(chosen, now, shift=shift),
	}


def _moment(text: str) -> datetime:
	try:
		return datetime.fromisoformat(text)
	except ValueError:
		frappe.throw(_("{0} is no date and time.").format(text))
