"""What the site knows of its document types: their columns, what is in them, and which roles may touch them.

Columns as in ERPNext and HRMS v15; those that no row of the simulator fills are NULL, as most of them are
on a real site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

RIGHTS = frozenset(
	{"create", "delete", "email", "export", "import", "print", "read", "report", "share", "write"}
)
"""Of documents that are not submitted."""


class Kind(Enum):
	"""How values of a column compare."""

	TEXT = "text"
	DATETIME = "datetime"
	NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocType:
	name: str
	roles: frozenset[str]
	"""Any of these has all `RIGHTS`."""
	lesser_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
	"""Role → the rights that it has."""
	columns: Mapping[str, Kind]
	single: bool = False
	"""One document of settings, kept as field and value, without a table of its own."""

	def allows(self, roles: Iterable[str], right: str) -> bool:
		"""Whether somebody with these roles has this right to documents of the type."""
		return any(
			right in (RIGHTS if role in self.roles else self.lesser_roles.get(role, ())) for role in roles
		)


_IN_EVERY_TABLE = {
	"name": Kind.TEXT,
	"owner": Kind.TEXT,
	"creation": Kind.DATETIME,
	"modified": Kind.DATETIME,
	"modified_by": Kind.TEXT,
	"docstatus": Kind.NUMBER,
	"idx": Kind.NUMBER,
}


def _columns(*, texts: str, datetimes: str, numbers: str) -> dict[str, Kind]:
	return {
		**_IN_EVERY_TABLE,
		**dict.fromkeys(texts.split(), Kind.TEXT),
		**dict.fromkeys(datetimes.split(), Kind.DATETIME),
		**dict.fromkeys(numbers.split(), Kind.NUMBER),
	}


EMPLOYEE = DocType(
	name="Employee",
	roles=frozenset({"HR User", "HR Manager"}),
	lesser_roles={"Employee": frozenset({"email", "print", "read", "report"})},
	columns=_columns(
		texts="""
		employee naming_series salutation first_name middle_name last_name employee_name image company status
		employee_number gender emergency_phone_number person_to_be_contacted relation user_id department
		designation reports_to branch holiday_list salary_mode bank_name bank_ac_no cell_number
		prefered_contact_email prefered_email company_email personal_email permanent_accommodation_type
		permanent_address current_accommodation_type current_address bio passport_number place_of_issue
		marital_status blood_group family_background health_details reason_for_leaving leave_encashed
		new_workplace feedback old_parent attendance_device_id salary_currency iban employment_type
		job_applicant grade default_shift health_insurance_provider health_insurance_no expense_approver
		leave_approver shift_request_approver payroll_cost_center
		""",
		datetimes="""
		date_of_birth date_of_joining scheduled_confirmation_date final_confirmation_date contract_end_date
		date_of_retirement date_of_issue valid_upto resignation_letter_date relieving_date encashment_date
		held_on
		""",
		numbers="create_user_permission notice_number_of_days unsubscribed lft rgt ctc",
	),
)

EMPLOYEE_CHECKIN = DocType(
	name="Employee Checkin",
	roles=frozenset({"System Manager", "HR User", "HR Manager"}),
	lesser_roles={"Employee": frozenset({"create", "delete", "read", "write"})},
	columns={
		**_IN_EVERY_TABLE,
		"employee": Kind.TEXT,
		"employee_name": Kind.TEXT,
		"log_type": Kind.TEXT,
		"shift": Kind.TEXT,
		"time": Kind.DATETIME,
		"device_id": Kind.TEXT,
		"skip_auto_attendance": Kind.NUMBER,
		"attendance": Kind.TEXT,
		"latitude": Kind.NUMBER,
		"longitude": Kind.NUMBER,
		"geolocation": Kind.TEXT,
		"shift_start": Kind.DATETIME,
		"shift_end": Kind.DATETIME,
		"offshift": Kind.NUMBER,
		"shift_actual_start": Kind.DATETIME,
		"shift_actual_end": Kind.DATETIME,
	},
)
"""`time` has permission level 1, which only `roles` may write: see `checkin_rules`."""

SYSTEM_SETTINGS = DocType(
	name="System Settings",
	roles=frozenset({"System Manager"}),
	columns=_columns(texts="time_zone language country date_format", datetimes="", numbers=""),
	single=True,
)

HR_SETTINGS = DocType(
	name="HR Settings",
	roles=frozenset({"System Manager", "HR User", "HR Manager"}),
	columns=_columns(texts="", datetimes="", numbers="allow_geolocation_tracking"),
	single=True,
)

PLAYED: Mapping[str, DocType] = {
	each.name: each for each in (EMPLOYEE, EMPLOYEE_CHECKIN, HR_SETTINGS, SYSTEM_SETTINGS)
}

NOT_PLAYED = frozenset(
	{
		"Attendance",
		"Branch",
		"Company",
		"Department",
		"Designation",
		"DocType",
		"Holiday List",
		"Role",
		"Shift Assignment",
		"Shift Location",
		"Shift Type",
		"User",
	}
)
"""A real site has these; here they are refused with 501, which no real site answers."""
