"""The codes of `core.workday` as Attendance shows them, in English; the Desk translates them."""

from __future__ import annotations

from attendance_bridge.core.workday.day import Anomaly, Reason, Status

STATUS = {
	Status.ON_TIME: "On Time",
	Status.CONSIDERED: "Considered",
	Status.LATE: "Late",
	Status.EARLY_EXIT: "Early Exit",
	Status.HALF_DAY: "Half Day",
	Status.PRESENT: "Present",
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
	Reason.BY_HAND: "Marked by hand, without a punch",
	Reason.LEAVE: "On leave",
	Reason.HALF_LEAVE: "Half a day of leave",
	Reason.HALF_LEAVE_HALF_ABSENT: "Half a day of leave, absent in the other",
	Reason.DAY_OFF: "A day off",
	Reason.NO_SHIFT: "No shift",
	Reason.NOT_BEGUN: "Need not have come yet",
	Reason.NOT_COME: "Has not come",
}

HOURS_DIFFER = "hours_differ"
"""A code of ours beside those of `Anomaly`: the punches of the day come to other hours than HRMS holds."""

ANOMALY = {
	Anomaly.MISSING_IN: "No IN",
	Anomaly.MISSING_OUT: "No OUT",
	Anomaly.IN_AFTER_IN: "IN after IN",
	Anomaly.OUT_AFTER_OUT: "OUT after OUT",
	Anomaly.PUNCH_ON_LEAVE: "Punched while on leave",
	Anomaly.PUNCH_ON_DAY_OFF: "Punched on a day off",
}

LETTER = {
	Status.ON_TIME: "P",
	Status.CONSIDERED: "P*",
	Status.LATE: "L",
	Status.EARLY_EXIT: "E",
	Status.HALF_DAY: "½",
	Status.PRESENT: "P",
	Status.ABSENT: "A",
	Status.ON_LEAVE: "V",
	Status.HOLIDAY: "H",
	Status.WEEKLY_OFF: "W",
	Status.NOT_SCHEDULED: "",
	Status.EXPECTED: "",
	Status.MISSING: "?",
}
"""For the narrow cells of a month."""
