"""The codes of `core.workday` as Attendance shows them, in English; the Desk translates them."""

from __future__ import annotations

from attendance_bridge.core.workday.day import Anomaly, Reason, Status

LETTER_CONTEXT = "Letter of a day"


def _(text: str, context: str | None = None) -> str:
	"""Marks a text as one to translate; here it stays English, as it is stored."""
	return text


STATUS = {
	Status.ON_TIME: _("On Time"),
	Status.CONSIDERED: _("Considered"),
	Status.LATE: _("Late"),
	Status.EARLY_EXIT: _("Early Exit"),
	Status.HALF_DAY: _("Half Day"),
	Status.PRESENT: _("Present"),
	Status.ABSENT: _("Absent"),
	Status.ON_LEAVE: _("On Leave"),
	Status.HOLIDAY: _("Holiday"),
	Status.WEEKLY_OFF: _("Weekly Off"),
	Status.NOT_SCHEDULED: _("Not Scheduled"),
	Status.EXPECTED: _("Expected"),
	Status.MISSING: _("Missing"),
}

REASON = {
	Reason.IN_TIME: _("Came in time"),
	Reason.WITHIN_GRACE: _("Came within the grace period"),
	Reason.AFTER_GRACE: _("Came after the grace period"),
	Reason.LEFT_BEFORE_END: _("Left before the end"),
	Reason.BELOW_HALF_DAY: _("Less worked than half a day needs"),
	Reason.BELOW_ABSENT: _("Too little worked to count"),
	Reason.NO_PUNCH: _("No punch"),
	Reason.BY_HAND: _("Marked by hand, without a punch"),
	Reason.LEAVE: _("On leave"),
	Reason.HALF_LEAVE: _("Half a day of leave"),
	Reason.HALF_LEAVE_HALF_ABSENT: _("Half a day of leave, absent in the other"),
	Reason.DAY_OFF: _("A day off"),
	Reason.HALF_OFF: _("Half a day off"),
	Reason.NO_SHIFT: _("No shift"),
	Reason.NOT_BEGUN: _("Need not have come yet"),
	Reason.NOT_COME: _("Has not come"),
}

HOURS_DIFFER = "hours_differ"
"""A code of ours beside those of `Anomaly`: the punches of the day come to other hours than HRMS holds."""

ANOMALY = {
	Anomaly.MISSING_IN: _("No IN"),
	Anomaly.MISSING_OUT: _("No OUT"),
	Anomaly.IN_AFTER_IN: _("IN after IN"),
	Anomaly.OUT_AFTER_OUT: _("OUT after OUT"),
	Anomaly.PUNCH_ON_LEAVE: _("Punched while on leave"),
	Anomaly.PUNCH_ON_DAY_OFF: _("Punched on a day off"),
}

_TO_LOOK_AT = {
	**{anomaly.value: sentence for anomaly, sentence in ANOMALY.items()},
	HOURS_DIFFER: _("Other hours than the attendance"),
}


def to_look_at(code: str) -> str:
	"""The words of a code of `Attendance.bridge_anomalies`; a code without words stands for itself."""
	return _TO_LOOK_AT.get(code, code)


LETTER = {
	Status.ON_TIME: _("P", context="Letter of a day"),
	Status.CONSIDERED: _("P*", context="Letter of a day"),
	Status.LATE: _("L", context="Letter of a day"),
	Status.EARLY_EXIT: _("E", context="Letter of a day"),
	Status.HALF_DAY: _("½", context="Letter of a day"),
	Status.PRESENT: _("P", context="Letter of a day"),
	Status.ABSENT: _("A", context="Letter of a day"),
	Status.ON_LEAVE: _("V", context="Letter of a day"),
	Status.HOLIDAY: _("H", context="Letter of a day"),
	Status.WEEKLY_OFF: _("W", context="Letter of a day"),
	Status.NOT_SCHEDULED: "",
	Status.EXPECTED: "",
	Status.MISSING: _("?", context="Letter of a day"),
}
"""For the narrow cells of a month."""
