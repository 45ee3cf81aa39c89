"""The codes of `core.workday` as Attendance shows them, in English; the Desk translates them."""

from __future__ import annotations

from attendance_bridge.core.workday.day import Reason, Status

STATUS = {
	Status.ON_TIME: "On Time",
	Status.CONSIDERED: "Considered",
	Status.LATE: "Late",
	Status.EARLY_EXIT: "Early Exit",
	Status.HALF_DAY: "Half Day",
	Status.ABSENT: "Absent",
	Status.ON_LEAVE: "On Leave",
	Status.HOLIDAY: "Holiday",
	Status.WEEKLY_OFF: "Weekly Off",
	Status.NOT_SCHEDULED: "Not Scheduled",
	Status.EXPECTED: "Expected",
	Status.MISSING: "Missing",
}

REASON = {
	Reason.IN_TIME: "Came in time",
	Reason.WITHIN_GRACE: "Came within the grace period",
	Reason.AFTER_GRACE: "Came after the grace period",
	Reason.LEFT_BEFORE_END: "Left before the end",
	Reason.BELOW_HALF_DAY: "Less worked than half a day needs",
	Reason.BELOW_ABSENT: "Too little worked to count",
	Reason.NO_PUNCH: "No punch",
	Reason.LEAVE: "On leave",
	Reason.HALF_LEAVE: "Half a day of leave",
	Reason.HALF_LEAVE_HALF_ABSENT: "Half a day of leave, absent in the other",
	Reason.DAY_OFF: "A day off",
	Reason.NO_SHIFT: "No shift",
	Reason.NOT_BEGUN: "Need not have come yet",
	Reason.NOT_COME: "Has not come",
}

BY_HAND = "Marked by hand, without a punch"

HOURS_DIFFER = "hours_differ"
"""A code of ours beside those of `Anomaly`: the punches of the day come to other hours than HRMS holds."""
