"""The pages, files and calls of working days."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest
import schemathesis
from schemathesis import GenerationMode

from attendance_bridge.core.person import Person
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.stores.agreements import MarkKind
from tests.edge.rig import Edge
from tests.edge.web.rig import Browser, Office, acts, text
from tests.edge.web.test_api import answers_as_described
from tests.edge.workdays.rig import ANNA, BEN, BOSS, DAY_SHIFT, MONDAY, NIGHT_SHIFT, Shop

EVIL = Person(
	employee="=HR-3",
	attendance_device_id="3",
	full_name='=cmd|"/c calc"!A1',
	department="<b>Shop",
	shift="Day",
)
PERSON = "/people/days?employee=HR-1&month=2026-03"


@pytest.fixture
def shop(edge: Edge) -> Shop:
	"""Anna is late and stays long, Ben works by night, a third one forgets the OUT."""
	made = Shop(
		edge, [ANNA, BEN, EVIL], shifts=[DAY_SHIFT, NIGHT_SHIFT], working_days={"weekly_off": ["sunday"]}
	)
	made.passes("1", "09:12", "20:30")
	made.passes("2", "22:00", "+06:15")
	made.passes("3", "09:00")
	made.agreements.mark(
		ANNA.employee, MarkKind.LEAVE, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2), "family", BOSS
	)
	made.settle()
	return made


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
	body = text(browser, path)
	assert body.startswith("\ufeff")
	return list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))


def sheets_of(browser: Browser, path: str) -> dict[str, list[tuple[Any, ...]]]:
	answer = browser.get(path)
	assert answer.status_code == 200
	book = openpyxl.load_workbook(io.BytesIO(answer.data))
	return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


# pages


def test_a_day(browser: Browser) -> None:
	page = text(browser, "/days?date=2026-03-02")
	assert "Monday, 2026-03-02" in page
	for words in ("Anna", "09:12", "20:30", "11:18", "2:00", "1:30", "snacks", "0:12 late", "06:15 +1"):
		assert words in page, words
	assert "Came after the grace period" in page
	assert "<b>Shop" not in page
	assert "2 On Time" in page
	assert "All punches up to 2026-04-01 08:00 are here" in page


def test_a_page_needs_nothing_from_elsewhere_and_nothing_inline(browser: Browser) -> None:
	for path in ("/days", "/months", "/days?date=2026-03-02", "/months?month=2026-03", PERSON):
		page = text(browser, path)
		assert "//" not in page.replace("<!doctype html>", "").replace("https://", ""), path
		assert not re.search(r"style=|<style|<script>| on[a-z]+=", page), path


def test_filters_of_a_day(browser: Browser) -> None:
	day = "/days?date=2026-03-02"
	assert "Ben" not in text(browser, f"{day}&department=Shop")
	assert "Anna" not in text(browser, f"{day}&shift=Night")
	late = text(browser, f"{day}&state=late")
	assert "Anna" in late
	assert "Ben" not in late
	assert "2 On Time" in late  # what else there is stays counted
	assert "Nobody." in text(browser, f"{day}&q=zzz&page=99999999999999999")


def test_what_makes_no_sense_is_left_out(browser: Browser) -> None:
	for path in (
		"/days?date=x&state=x&page=x",
		"/days?date=0001-01-01",
		"/days?date=9999-12-31",
		"/months?month=2026-13",
		"/months?month=0001-01",
		"/months.csv?month=9999-12",
		"/people/days?employee=HR-1&month=x",
	):
		text(browser, path)


def test_a_month(browser: Browser) -> None:
	page = text(browser, "/months?month=2026-03")
	assert "March 2026" in page
	# Late on Monday, two days of leave, a Sunday, and absent on what else there was since.
	anna = page[page.index(">Anna<") : page.index(">Ben<")]
	assert anna.count(">V<") == 2
	assert anna.count(">L<") == 1
	# Of 30 dates from the 2nd on, 4 Sundays: 30 - 4 - 1 worked - 2 on leave = 23.
	assert anna.count(">A<") == 23
	assert '<td class="number">11:18</td>' in anna


def test_a_person(browser: Browser) -> None:
	page = text(browser, PERSON)
	assert "09:12 IN · 20:30 OUT" in page
	assert "On leave: family" in page
	assert (
		"1 worked · 23 absent · 2 leave · 1 late · 11:18 hours · 2:00 overtime · 1:30 extra · 1 × snacks"
		in page
	)
	assert browser.get("/people/days?employee=nobody").status_code == 404


def test_people_lead_to_their_days(browser: Browser) -> None:
	assert 'href="/people/days?employee=HR-1"' in text(browser, "/people")


def test_a_correction_of_what_stands_in_the_ledger_counts_here(browser: Browser, edge: Edge) -> None:
	held = next(held for held in edge.held() if held.punch.device_user_id == "3")
	page = f"/punches/{held.punch.punch_id}"
	form = {"kind": "ignore", "why": "a test", "csrf_token": browser.token(page)}
	answer = browser.post(f"{page}/corrections", data=form)
	assert "working days go by the correction" in text(browser, answer.location)
	row = next(row for row in rows_of(browser, "/days.csv?date=2026-03-02") if row["Employee"] == "'=HR-3")
	assert (row["Day"], row["Punches"]) == ("Absent", "0")


# what is agreed


def test_leave_is_entered_and_taken_back(browser: Browser, office: Office) -> None:
	form = {
		"employee": "HR-2",
		"month": "2026-03",
		"kind": "leave",
		"first": "2026-03-10",
		"last": "2026-03-11",
		"why": "<i>away",
		"csrf_token": browser.token(PERSON),
	}
	answer = browser.post("/people/days/marks", data=form)
	assert answer.status_code == 303
	page = text(browser, answer.location)
	assert page.count("On leave: &lt;i&gt;away") == 2
	assert acts(office)[-1] == ("day_marked", "boss")
	browser.post("/people/days/marks", data={**form, "kind": "nothing", "last": ""})
	assert text(browser, answer.location).count("away") == 1


def test_a_shift_is_assigned_and_taken_back(browser: Browser, office: Office) -> None:
	token = browser.token(PERSON)
	form = {"employee": "HR-1", "shift": "Night", "first": "2026-03-10", "last": "", "csrf_token": token}
	answer = browser.post("/people/days/shifts", data=form)
	assert answer.status_code == 303
	page = text(browser, answer.location)
	assert "Night, from 2026-03-10 on" in page
	number = page.split('name="number" value="')[1].split('"')[0]
	answer = browser.post(
		"/people/days/shifts/removals", data={"number": number, "month": "2026-03", "csrf_token": token}
	)
	assert answer.status_code == 303
	assert "Night, from" not in text(browser, answer.location)
	assert [act for act, _who in acts(office)][-2:] == ["shift_assigned", "shift_taken_back"]


REFUSED = (
	("marks", {"kind": "dancing"}, 400),
	("marks", {"first": "someday"}, 400),
	("marks", {"last": "2026-03-09"}, 400),
	("marks", {"last": "2028-03-09"}, 400),
	("marks", {"why": "x" * 201}, 400),
	("marks", {"why": "a\u202eb"}, 400),
	("marks", {"employee": "nobody"}, 404),
	("shifts", {"shift": "Gone"}, 400),
	("shifts", {"last": "2026-03-09"}, 400),
	("shifts", {"last": "someday"}, 400),
	("shifts", {"first": ""}, 400),
	("shifts", {"employee": "nobody"}, 404),
	("shifts/removals", {"number": "99999999999999999999"}, 404),
	("shifts/removals", {"number": "x"}, 404),
)


def test_what_cannot_be_agreed_is_refused(browser: Browser, office: Office) -> None:
	before = acts(office)
	form = {
		"employee": "HR-1",
		"kind": "leave",
		"shift": "Day",
		"first": "2026-03-10",
		"last": "2026-03-10",
		"csrf_token": browser.token(PERSON),
	}
	for path, change, status in REFUSED:
		answer = browser.post(f"/people/days/{path}", data={**form, **change})
		assert answer.status_code == status, (path, change)
	assert acts(office) == before


def test_who_may_only_look_changes_nothing(office: Office) -> None:
	office.account("eve", "viewer")
	eve = office.browser()
	eve.log_in("eve")
	assert "Assign a shift" not in text(eve, PERSON)
	form = {"employee": "HR-1", "kind": "leave", "first": "2026-03-10", "csrf_token": eve.token(PERSON)}
	assert eve.post("/people/days/marks", data=form).status_code == 403


def test_who_may_not_see_attendance_sees_none(office: Office) -> None:
	office.account("door", "kiosk")
	door = office.browser()
	door.log_in("door")
	for path in ("/days", "/months", "/days.csv", "/months.xlsx", PERSON, "/api/v1/timesheets?month=2026-03"):
		assert door.get(path).status_code == 403, path
		assert office.browser().get(path).status_code == 401, path


def test_where_a_site_counts_working_days_there_are_no_pages(edge: Edge) -> None:
	office = Office(edge)
	office.account("boss", "admin")
	browser = office.browser()
	browser.log_in("boss")
	assert browser.get("/days").status_code == 404
	assert "/days" not in text(browser, "/people")


# files


def test_a_day_as_csv(browser: Browser, office: Office) -> None:
	rows = rows_of(browser, "/days.csv?date=2026-03-02")
	anna = next(row for row in rows if row["Name"] == "Anna")
	assert anna == {
		"Date": "2026-03-02",
		"Employee": "HR-1",
		"Name": "Anna",
		"Department": "Shop",
		"Designation": "",
		"Shift": "Day",
		"Day": "Late",
		"Why": "Came after the grace period",
		"In": "2026-03-02 09:12:00",
		"Out": "2026-03-02 20:30:00",
		"Hours": "11.30",
		"Overtime": "2.00",
		"Extra Overtime": "1.50",
		"Breaks": "0.00",
		"Late by": "0.20",
		"Left Early by": "0.00",
		"Allowances": "snacks",
		"To Look At": "",
		"Punches": "2",
		"By Hand": "",
		"Complete": "yes",
	}
	assert next(row for row in rows if row["Employee"] == "'=HR-3")["Name"].startswith("'=cmd")
	assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
	last = office.access.audit.latest(1)[0]
	assert (last.act, last.who, last.subject, last.details) == ("days_exported", "boss", "csv", "2026-03-02")


def test_a_filtered_day_is_exported_as_it_is_shown(browser: Browser, office: Office) -> None:
	rows = rows_of(browser, "/days.csv?date=2026-03-02&state=late&q=ann")
	assert [row["Name"] for row in rows] == ["Anna"]
	assert office.access.audit.latest(1)[0].details == "2026-03-02, state late, people ann"


def test_a_month_as_csv_has_a_line_for_each_day_of_a_person(browser: Browser) -> None:
	rows = rows_of(browser, "/months.csv?month=2026-03")
	assert len(rows) == 3 * 31
	ben = [row for row in rows if row["Name"] == "Ben"]
	assert (ben[1]["Out"], ben[1]["Hours"], ben[0]["Day"]) == ("2026-03-03 06:15:00", "8.25", "Weekly Off")


def test_a_month_as_excel(browser: Browser, office: Office) -> None:
	found = sheets_of(browser, "/months.xlsx?month=2026-03")
	assert list(found) == ["Month", "Days"]
	head, *people = found["Month"]
	assert head[:5] == ("Employee", "Name", "Department", "1", "2")
	assert head[-11:] == (
		*("Worked", "Absent", "Leave", "Off", "Late", "Hours", "Overtime", "Extra Overtime"),
		*("By Hand", "night_bill", "snacks"),
	)
	anna = next(row for row in people if row[1] == "Anna")
	assert anna[3:8] == ("W", "L", "V", "V", "A")
	assert anna[-11:] == (1, 23, 2, 5, 1, 11.3, 2, 1.5, 0, 0, 1)
	# What looks like a formula is text.
	assert any(row[0] == "=HR-3" and row[1] == '=cmd|"/c calc"!A1' for row in people)
	assert found["Days"][0][0] == "Date"
	assert len(found["Days"]) == 1 + 3 * 31
	monday = next(row for row in found["Days"] if row[2] == "Anna" and row[0] == datetime(2026, 3, 2))
	assert monday[8:13] == (datetime(2026, 3, 2, 9, 12), datetime(2026, 3, 2, 20, 30), 11.3, 2, 1.5)
	assert acts(office)[-1] == ("days_exported", "boss")


def test_a_cell_is_never_a_formula(browser: Browser) -> None:
	answer = browser.get("/days.xlsx?date=2026-03-02")
	assert answer.content_type.startswith("application/vnd.openxmlformats")
	assert answer.headers["Content-Disposition"] == "attachment; filename=days-2026-03-02.xlsx"
	(sheet,) = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets
	cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
	assert {cell.data_type for cell in cells} == {"s", "n", "d"}
	assert sheet.page_setup.orientation == "landscape"


def test_an_id_that_is_no_text_comes_out_of_every_road(edge: Edge) -> None:
	shop = Shop(edge)
	shop.passes("8\udcff\x07", "09:00", "17:00")
	shop.settle()
	office = Office(edge, workdays=shop.workdays, settings=shop.settings)
	office.account("boss", "manager")
	browser = office.browser()
	browser.log_in("boss")
	assert "8\\udcff" in text(browser, "/days?date=2026-03-02")
	assert "8\\udcff" in text(browser, "/months?month=2026-03")
	assert "8\\udcff" in text(browser, "/months.csv?month=2026-03")
	assert sheets_of(browser, "/months.xlsx?month=2026-03")["Month"][1][0] == "8\\udcff\ufffd"
	days = browser.get("/api/v1/working-days?date=2026-03-02", headers=office.key(Scope.VIEW)).get_json()[
		"days"
	]
	assert days[0]["employee_id"] == "8\\udcff\x07"


# calls


def test_the_day_for_programs(office: Office) -> None:
	answer = office.browser().get(
		"/api/v1/working-days?date=2026-03-02&department=Shop", headers=office.key(Scope.VIEW)
	)
	assert answer.get_json() == {
		"total": 1,
		"days": [
			{
				"employee_id": "HR-1",
				"employee_name": "Anna",
				"department": "Shop",
				"designation": "",
				"date": "2026-03-02",
				"shift": "Day",
				"status": "Late",
				"reason": "Came after the grace period",
				"check_in": "2026-03-02 09:12:00",
				"check_out": "2026-03-02 20:30:00",
				"working_hours": 11.3,
				"overtime": 2.0,
				"extra_overtime": 1.5,
				"allowances": ["snacks"],
				"anomalies": [],
				"complete": True,
				"attendance_count": 2,
				"scans": [
					{"time": "2026-03-02 09:12:00", "type": "IN", "by_hand": False},
					{"time": "2026-03-02 20:30:00", "type": "OUT", "by_hand": False},
				],
			}
		],
	}


def test_the_month_for_programs(office: Office) -> None:
	browser, key = office.browser(), office.key(Scope.VIEW)
	found = browser.get("/api/v1/timesheets?month=2026-03&limit=1&offset=1", headers=key).get_json()
	assert found["total"] == 3
	(anna,) = found["timesheets"]
	assert (anna["employee_id"], len(anna["days"])) == ("HR-1", 31)
	assert anna["days"][1] == {
		"day": 2,
		"date": "2026-03-02",
		"shift": "Day",
		"status": "Late",
		"checkIn": "2026-03-02 09:12:00",
		"checkOut": "2026-03-02 20:30:00",
		"workingHours": 11.3,
		"overtime": 2.0,
		"extraOvertime": 1.5,
	}
	assert anna["totals"] == {"workingHours": 11.3, "overtime": 2.0, "extraOvertime": 1.5}
	one = browser.get("/api/v1/timesheets?month=2026-03&employee=HR-2", headers=key).get_json()
	assert [sheet["employee_id"] for sheet in one["timesheets"]] == ["HR-2"]
	assert browser.get("/api/v1/timesheets?month=2026-03&employee=x", headers=key).status_code == 404


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_are_as_described_whatever_is_sent(
	office: Office, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(office.access, "count_call", lambda _caller: True)
	key = office.key(*Scope)
	schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", office.app, headers=key)
	schema.config.generation.update(with_security_parameters=False)
	operations = [
		operation
		for operation in (result.ok() for result in schema.get_all_operations())
		if operation.path in ("/api/v1/working-days", "/api/v1/timesheets")
	]
	assert len(operations) == 2
	for operation in operations:
		answers_as_described(operation, mode, key)
