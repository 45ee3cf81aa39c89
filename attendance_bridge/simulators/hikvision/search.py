"""Searching the log and the list of people, a page at a time: AcsEvent, AcsEventTotalNum, UserInfo/Search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from attendance_bridge.simulators.hikvision.answers import RefusedError
from attendance_bridge.simulators.hikvision.events import Filter
from attendance_bridge.simulators.hikvision.rows import Row, row
from attendance_bridge.simulators.hikvision.state import HikvisionState, TerminalUser

MAX_SEARCH_ID = 64
MAX_POSITION = 300_000
MAX_SERIAL_NO = 3_000_000_000
MAX_TIME_TEXT = 32
MAX_EMPLOYEE_NO = 32

FEW_ROWS = 7
REPLAYED_ROWS = 3
REPLAY_PERIOD = 30


def parse(body: bytes, root: str) -> dict[str, Any]:
	"""The condition of a search: the object under `root`.

	:raises RefusedError: not JSON, or another root.
	"""
	try:
		content = json.loads(body)
	except (ValueError, RecursionError):
		raise RefusedError("badJsonFormat") from None
	condition = content.get(root) if isinstance(content, dict) else None
	if not isinstance(condition, dict):
		raise RefusedError("MessageParametersLack", root)
	return condition


def total_number(state: HikvisionState, condition: Mapping[str, Any]) -> int:
	"""How many events match.

	:raises RefusedError: a field is missing or wrong.
	"""
	return len(state.log.select(_filter(state, condition)))


def find_events(state: HikvisionState, condition: Mapping[str, Any]) -> dict[str, Any]:
	"""One page of events, as the value of AcsEvent.

	:raises RefusedError: a field is missing or wrong.
	"""
	search_id, start, limit = _page(condition, state.page_limit)
	found = state.log.select(_filter(state, condition))
	replays = "replayed-history" in state.faults
	total = _length_with_replays(len(found)) if replays else len(found)
	if "gap-page" in state.faults and start > total // 2 and state.is_first_gap(search_id):
		return _answer(search_id, [], total, "MORE", "InfoList")
	if "few-rows" in state.faults:
		limit = min(limit, FEW_ROWS)
	places = range(start, min(start + limit, total))
	shown = [place - _replayed_before(place) for place in places] if replays else places
	if condition.get("timeReverseOrder") is True:
		shown = [len(found) - 1 - place for place in shown]
	rows = [row(event, state.name_of(event.employee_no)) for event in found.at(shown)]
	status = _status(rows, more=start + limit < total or "more-empty" in state.faults)
	return _answer(search_id, rows, total, status, "InfoList", one_as_object="one-row-object" in state.faults)


def _length_with_replays(length: int) -> int:
	"""How long a result becomes when each page but the first begins with the last rows of the one before."""
	new_rows = REPLAY_PERIOD - REPLAYED_ROWS
	return length + REPLAYED_ROWS * max((length - REPLAYED_ROWS - 1) // new_rows, 0)


def _replayed_before(place: int) -> int:
	"""How many rows of such a result, up to `place`, are repetitions."""
	return REPLAYED_ROWS * (place // REPLAY_PERIOD)


def _status(rows: Sequence[Row], *, more: bool) -> str:
	if more:
		return "MORE"
	return "OK" if rows else "NO MATCH"


def find_people(state: HikvisionState, condition: Mapping[str, Any]) -> dict[str, Any]:
	"""One page of people, as the value of UserInfoSearch.

	:raises RefusedError: a field is missing or wrong.
	"""
	search_id, start, limit = _page(condition, state.page_limit)
	wanted = _employee_numbers(condition)
	people = [person for person in state.people.values() if wanted is None or person.employee_no in wanted]
	rows = [_person_row(person) for person in people[start : start + limit]]
	status = _status(rows, more=start + limit < len(people))
	one_as_object = "one-row-object" in state.faults
	return _answer(search_id, rows, len(people), status, "UserInfo", one_as_object=one_as_object)


def _person_row(person: TerminalUser) -> Row:
	return {
		"employeeNo": person.employee_no,
		"name": person.name,
		"userType": "normal",
		"Valid": {
			"enable": True,
			"beginTime": "2020-01-01T00:00:00",
			"endTime": "2037-12-31T23:59:59",
			"timeType": "local",
		},
		"doorRight": "1",
		"RightPlan": [{"doorNo": 1, "planTemplateNo": "1"}],
		"numOfCard": 1 if person.card_no else 0,
		"numOfFP": 0,
		"numOfFace": 1,
	}


def _employee_numbers(condition: Mapping[str, Any]) -> set[str] | None:
	"""Whose records are asked for; None: everybody's."""
	wanted = condition.get("EmployeeNoList")
	if not wanted:
		return None
	numbers = set()
	for each in wanted if isinstance(wanted, list) else [wanted]:
		number = each.get("employeeNo") if isinstance(each, dict) else None
		if not isinstance(number, str):
			raise RefusedError("badParameters", "EmployeeNoList")
		numbers.add(number)
	return numbers


def _answer(
	search_id: str, rows: Sequence[Row], total: int, status: str, key: str, *, one_as_object: bool = False
) -> dict[str, Any]:
	answer: dict[str, Any] = {
		"searchID": search_id,
		"responseStatusStrg": status,
		"numOfMatches": len(rows),
		"totalMatches": total,
	}
	if status != "NO MATCH":
		answer[key] = rows[0] if one_as_object and len(rows) == 1 else rows
	return answer


def _page(condition: Mapping[str, Any], page_limit: int) -> tuple[str, int, int]:
	"""(searchID, searchResultPosition, how many rows at most)."""
	search_id = condition.get("searchID")
	if search_id is None:
		raise RefusedError("MessageParametersLack", "searchID")
	if not isinstance(search_id, str) or not 0 < len(search_id) <= MAX_SEARCH_ID:
		raise RefusedError("badParameters", "searchID")
	start = _number(condition, "searchResultPosition", 0, MAX_POSITION)
	# More rows than the terminal gives are no error: it gives what it gives.
	limit = _number(condition, "maxResults", 1, MAX_POSITION)
	return search_id, start, min(limit, page_limit)


def _filter(state: HikvisionState, condition: Mapping[str, Any]) -> Filter:
	zone = state.clock.zone
	start, end = _time(condition, "startTime", zone), _time(condition, "endTime", zone)
	if start is not None and end is not None and end < start:
		raise RefusedError("badParameters", "endTime")
	employee_no = condition.get("employeeNoString", "")
	if not isinstance(employee_no, str) or len(employee_no) > MAX_EMPLOYEE_NO:
		raise RefusedError("badParameters", "employeeNoString")
	return Filter(
		major=_number(condition, "major", 0, 5),
		minor=_number(condition, "minor", 0, 0xFFFF),
		employee_no=employee_no,
		start=start,
		end=end,
		begin_serial_no=_serial_no(state, condition, "beginSerialNo"),
		end_serial_no=_serial_no(state, condition, "endSerialNo"),
	)


def _serial_no(state: HikvisionState, condition: Mapping[str, Any], field: str) -> int | None:
	if field not in condition:
		return None
	if "no-serial-window" in state.faults:
		raise RefusedError("badParameters", field)
	return _number(condition, field, 1, MAX_SERIAL_NO)


def _number(condition: Mapping[str, Any], field: str, low: int, high: int) -> int:
	value = condition.get(field)
	if value is None:
		raise RefusedError("MessageParametersLack", field)
	if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
		raise RefusedError("badParameters", field)
	return value


def _time(condition: Mapping[str, Any], field: str, zone: tzinfo) -> int | None:
	"""Seconds since 1970 UTC; a time without offset is the terminal's own wall time."""
	value = condition.get(field)
	if value is None:
		return None
	if not isinstance(value, str) or len(value) > MAX_TIME_TEXT:
		raise RefusedError("badParameters", field)
	try:
		moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
		if moment.tzinfo is None:
			moment = moment.replace(tzinfo=zone)
		return int(moment.timestamp())
	except (ValueError, OverflowError):
		raise RefusedError("badParameters", field) from None
