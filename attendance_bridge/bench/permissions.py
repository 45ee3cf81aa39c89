"""Who sees which punches.

System Manager, HR Manager and HR User see all. Everybody else sees their own, those of the people who report
to them, and those of the people whose leave they approve: that is how HRMS knows the head of a department
(Department, table Leave Approvers, valid for the departments below it as well) or of a single employee
(Employee, Leave Approver). Punches that are nobody's yet are seen by the first three roles only.
"""

from __future__ import annotations

from typing import Any

import frappe

SEE_ALL = frozenset({"System Manager", "HR Manager", "HR User"})
_APPROVED = (
	"SELECT `name` FROM `tabEmployee` WHERE `leave_approver` = %(user)s",
	(
		"SELECT `member`.`name` FROM `tabDepartment Approver` AS `approver`"
		" JOIN `tabDepartment` AS `headed` ON `headed`.`name` = `approver`.`parent`"
		" JOIN `tabDepartment` AS `below`"
		" ON `below`.`lft` >= `headed`.`lft` AND `below`.`rgt` <= `headed`.`rgt`"
		" JOIN `tabEmployee` AS `member` ON `member`.`department` = `below`.`name`"
		" WHERE `approver`.`parentfield` = 'leave_approvers' AND `approver`.`approver` = %(user)s"
	),
)
"""The people whose leave a user approves: their own approver's, and those of departments."""


def punch_log_conditions(user: str | None = None) -> str:
	"""Hook `permission_query_conditions`: the condition of a list, empty if everything is seen."""
	user = user or frappe.session.user
	if _sees_all(user):
		return ""
	# By name: as a subquery it would be asked anew for each of the punches of everybody.
	names = ", ".join(frappe.db.escape(name, percent=False) for name in _visible_employees(user))
	return f"`tabPunch Log`.`employee` IN ({names})" if names else "1 = 0"


def may_see_punch(doc: Any, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
	"""Hook `has_permission`: the same for one document. It can only deny; rights come from the roles."""
	user = user or frappe.session.user
	if _sees_all(user):
		return True
	if not isinstance(doc, str) and not doc.get("name"):
		return True  # asked about the doctype: the condition of the list does the rest
	employee = (
		doc.get("employee") if not isinstance(doc, str) else frappe.db.get_value("Punch Log", doc, "employee")
	)
	return employee in _visible_employees(user)


def require_role(*roles: str) -> None:
	"""Let nobody on who has none of some roles, but Administrator.

	:raises frappe.PermissionError: also in tests, where `frappe.only_for` lets everybody on.
	"""
	if frappe.session.user != "Administrator" and set(roles).isdisjoint(frappe.get_roles()):
		raise frappe.PermissionError


def face_consent_conditions(user: str | None = None) -> str:
	"""Hook `permission_query_conditions`: people see their own consents, and those who see all see all."""
	user = user or frappe.session.user
	if _sees_all(user):
		return ""
	own = f"SELECT `name` FROM `tabEmployee` WHERE `user_id` = {frappe.db.escape(user)}"  # noqa: S608
	return f"`tabFace Consent`.`employee` IN ({own})"


def may_see_consent(doc: Any, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
	"""Hook `has_permission`: the same for one document. It can only deny."""
	user = user or frappe.session.user
	if _sees_all(user):
		return True
	if not isinstance(doc, str) and not doc.get("name"):
		return True  # asked about the doctype: the condition of the list does the rest
	employee = (
		doc.get("employee")
		if not isinstance(doc, str)
		else frappe.db.get_value("Face Consent", doc, "employee")
	)
	return _is_own(employee, user)


def overtime_approval_conditions(user: str | None = None) -> str:
	"""Hook `permission_query_conditions`: the lists whose people one sees all of, and one's own new ones."""
	user = user or frappe.session.user
	if _sees_all(user):
		return ""
	approval, mine = "`tabOvertime Approval`", frappe.db.escape(user, percent=False)
	day = f"SELECT 1 FROM `tabOvertime Approval Day` AS `day` WHERE `day`.`parent` = {approval}.`name`"  # noqa: S608
	return (
		f"({approval}.`owner` = {mine} OR EXISTS ({day}))"
		f" AND NOT EXISTS ({day} AND `day`.`employee` NOT IN ({_quoted(user)}))"
	)


def overtime_approval_rows_conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Hook `permission_query_conditions` of its tables: Frappe lists them to whoever may read an approval."""
	user = user or frappe.session.user
	if _sees_all(user):
		return ""
	return f"`tab{doctype}`.`employee` IN ({_quoted(user)})"


def may_see_overtime_approval(
	doc: Any, ptype: str | None = None, user: str | None = None, **_more: Any
) -> bool:
	"""Hook `has_permission`: the same for one document, as it is stored. It can only deny."""
	user = user or frappe.session.user
	if _sees_all(user):
		return True
	name = doc if isinstance(doc, str) else doc.get("name")
	if not name or not frappe.db.exists("Overtime Approval", name):
		return True
	people = set(
		frappe.db.sql_list("SELECT `employee` FROM `tabOvertime Approval Day` WHERE `parent` = %s", name)
	)
	if not people:
		return bool(frappe.db.get_value("Overtime Approval", name, "owner") == user)
	return people <= set(_visible_employees(user))


def _quoted(user: str) -> str:
	"""The people whom somebody sees, for a list in a statement."""
	return ", ".join(frappe.db.escape(name, percent=False) for name in _visible_employees(user)) or "''"


def require_own_or_role(employee: str, *roles: str) -> None:
	"""Let on whoever the employee is, and those who have one of some roles and may read the employee.

	:raises frappe.PermissionError: anybody else.
	"""
	if _is_own(employee, frappe.session.user):
		return
	require_role(*roles)
	frappe.get_doc("Employee", employee).check_permission("read")


def _is_own(employee: str | None, user: str) -> bool:
	return bool(
		employee and user != "Guest" and frappe.db.exists("Employee", {"name": employee, "user_id": user})
	)


def _sees_all(user: str) -> bool:
	return user == "Administrator" or not SEE_ALL.isdisjoint(frappe.get_roles(user))


def visible_employees(user: str | None = None) -> list[str] | None:
	"""The employees whose punches and days somebody sees, by name; None: everybody's."""
	user = user or frappe.session.user
	return None if _sees_all(user) else _visible_employees(user)


def approved_employees(user: str | None = None) -> list[str]:
	"""The employees whose leave somebody approves, by name: whom the head of a department decides about."""
	return frappe.db.sql_list(" UNION ".join(_APPROVED), {"user": user or frappe.session.user})


def _visible_employees(user: str) -> list[str]:
	"""The employees whose punches somebody sees, by name."""
	own = "SELECT `name` FROM `tabEmployee` WHERE `user_id` = %(user)s"
	reports = (
		"SELECT `below`.`name` FROM `tabEmployee` AS `below` JOIN `tabEmployee` AS `head`"
		" ON `below`.`reports_to` = `head`.`name`"
		" WHERE `head`.`user_id` = %(user)s AND `head`.`status` = 'Active'"
	)
	return frappe.db.sql_list(" UNION ".join((own, reports, *_APPROVED)), {"user": user})
