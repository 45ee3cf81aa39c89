"""The JSON API as a program meets it: by its description, with whatever data, and by its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.projection import Rules, first_moments, project
from attendance_bridge.edge.connections import Connections
from attendance_bridge.edge.web.access.scopes import Scope
from tests.edge.rig import Edge, hikvision, punch
from tests.edge.web.rig import Office, acts

ANNA = Person(employee="HR-1", attendance_device_id="7", full_name="Anna", status="Active")
BEN = Person(employee="HR-2", attendance_device_id="8", full_name="=Ben", status="Active")


def no_upstream() -> Any:
	raise UpstreamError(Code.UNREACHABLE, retryable=True, host="192.0.2.1", port=443)


def fill(edge: Edge) -> None:
	edge.roster.replace([ANNA, BEN], edge.clock())
	edge.hold(*(punch("7", minutes) for minutes in range(0, 600, 60)), punch("99", 30), punch("7\udcff", 31))
	decide(edge)


def decide(edge: Edge) -> None:
	while observations := edge.punches.undecided(1_000):
		directory = edge.roster.directory()
		firsts = first_moments(observations, directory, {})
		decisions = project(observations, directory, {}, edge.punches.standings(firsts), Rules())
		edge.punches.record(decisions, firsts)


@pytest.fixture
def full(edge: Edge, reserve_port: Callable[[], int]) -> Office:
	fill(edge)
	dark = hikvision(reserve_port(), timeout=0.5)
	connections = Connections(make_upstream=no_upstream, devices=lambda: (dark,), now=edge.clock)
	return Office(edge, connections=connections)


# whatever the data


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_are_as_described_whatever_is_sent(
	full: Office, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(full.access, "count_call", lambda _caller: True)
	# Thousands of calls fall into one second of the clock of this test.
	key = full.key(*Scope)
	document = full.browser().get("/api/v1/openapi.json", headers=key).get_json()
	schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", full.app, headers=key)
	schema.config.generation.update(with_security_parameters=False)
	operations = [result.ok() for result in schema.get_all_operations()]
	assert len(operations) == len(document["paths"]) >= 9
	for operation in operations:
		answers_as_described(operation, mode, key)


def test_every_call_is_described(full: Office) -> None:
	described = set(full.browser().get("/api/v1/openapi.json", headers=full.key(*Scope)).get_json()["paths"])
	calls = {rule.rule for rule in full.app.url_map.iter_rules() if rule.rule.startswith("/api/")}
	assert {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each) for each in calls - ITS_OWN} == described


ITS_OWN = {"/api/v1/openapi.json", "/api/v1/docs"}


def answers_as_described(operation: Any, mode: GenerationMode, key: dict[str, str]) -> None:
	if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
		return

	@given(case=operation.as_strategy(generation_mode=mode))
	@settings(
		max_examples=12,
		deadline=None,
		derandomize=True,
		database=None,
		suppress_health_check=list(HealthCheck),
	)
	def check(case: schemathesis.Case) -> None:
		case.headers.pop("Authorization", None)
		case.call_and_validate(headers=key, excluded_checks=[ignored_auth])

	check()


def can_be_wrong(operation: dict[str, Any]) -> bool:
	"""Whether it takes something but text and bytes, of which any will do."""
	takes_json = "application/json" in operation.get("requestBody", {}).get("content", {})
	return takes_json or any(each["schema"] != {"type": "string"} for each in operation["parameters"])


# punches


def view(office: Office, path: str, **query: str) -> Any:
	answer = office.browser().get(path, headers=office.key(Scope.VIEW), query_string=query)
	assert answer.status_code == 200, answer.get_data(as_text=True)
	return answer.get_json()


def test_pages_follow_each_other_without_gap_or_overlap(full: Office) -> None:
	whole = [each["punch_id"] for each in view(full, "/api/v1/punches", limit="500")["punches"]]
	assert len(whole) == 12
	found: list[str] = []
	query: dict[str, str] = {"limit": "5"}
	while True:
		page = view(full, "/api/v1/punches", **query)
		found += [each["punch_id"] for each in page["punches"]]
		if page["next"] is None:
			break
		query["before"] = page["next"]
	assert found == whole


@pytest.mark.parametrize(
	("query", "number"),
	[
		({"employee": "HR-1"}, 10),
		({"device_user_id": "99"}, 1),
		({"state": "unmapped"}, 2),
		({"state": "pending", "device": "T1"}, 10),
		({"device": "T2"}, 0),
		({"day": "2026-11-19"}, 12),
		({"day": "2026-11-20"}, 0),
		({"day": "0001-01-01"}, 0),
		({"day": "9999-12-31"}, 0),
	],
)
def test_filters(full: Office, query: dict[str, str], number: int) -> None:
	assert len(view(full, "/api/v1/punches", **query)["punches"]) == number


def test_people_are_found_by_name_and_id(full: Office) -> None:
	assert view(full, "/api/v1/people")["total"] == 2
	(found,) = view(full, "/api/v1/people", q="ann")["people"]
	assert (found["employee"], found["enrollment"]) == ("HR-1", "unknown")
	assert view(full, "/api/v1/people", q="8")["people"][0]["employee"] == "HR-2"
	assert view(full, "/api/v1/people", limit="1", offset="1")["total"] == 2


# corrections


def correct(office: Office, punch_id: str, kind: str, why: str = "the person said so") -> tuple[int, Any]:
	answer = office.browser().post(
		f"/api/v1/punches/{punch_id}/corrections",
		json={"kind": kind, "why": why},
		headers=office.key(Scope.CORRECT),
	)
	return answer.status_code, answer.get_json()


def directions(edge: Edge) -> list[str]:
	return [
		held.log_type.value if held.log_type else held.state.value
		for held in edge.held()
		if held.employee or held.state.value == "ignored"
	]


def test_a_correction_is_heard_and_what_rests_on_it_follows(full: Office, edge: Edge) -> None:
	assert directions(edge) == ["IN", "OUT"] * 5
	second = edge.held()[3].punch  # 0:00, 0:30, 0:31, 1:00
	before = second
	status, answer = correct(full, str(second.punch_id), "set_in")
	assert (status, answer["effect"]) == (200, "decided_anew")
	decide(edge)
	assert directions(edge) == ["IN", "IN", "OUT", "IN", "OUT", "IN", "OUT", "IN", "OUT", "IN"]
	assert edge.held()[3].punch == before
	assert edge.held()[3].log_type_reason == "corrected"
	for why in ("", " ", "a\0", "a\u202eb", "a\udcff"):
		assert correct(full, str(second.punch_id), "ignore", why)[0] == 422
	correct(full, str(second.punch_id), "ignore")
	decide(edge)
	assert directions(edge) == ["IN", "ignored", "OUT", "IN", "OUT", "IN", "OUT", "IN", "OUT", "IN"]
	correct(full, str(second.punch_id), "as_decided")
	decide(edge)
	assert directions(edge) == ["IN", "OUT"] * 5
	details = view(full, f"/api/v1/punches/{second.punch_id}")
	assert [each["kind"] for each in details["corrections"]] == ["as_decided", "ignore", "set_in"]
	assert [act for act, _who in acts(full)].count("punch_corrected") == 3


def test_what_was_delivered_stays(full: Office, edge: Edge) -> None:
	claimed = edge.outbox.claim(1, edge.clock())
	first = claimed[0].punch.punch_id
	status, answer = correct(full, str(first), "ignore")
	assert (status, answer["effect"]) == (200, "delivered_stays")
	assert "it stays there as it is" in answer["sentence"]
	assert edge.punches.undecided(10) == []
	assert view(full, f"/api/v1/punches/{first}")["correction"]["kind"] == "ignore"


def test_a_correction_that_makes_no_sense_is_refused(full: Office, edge: Edge) -> None:
	pending = str(edge.held()[0].punch.punch_id)
	assert correct(full, pending, "release_time")[1]["error"] == "not_quarantined"
	assert correct(full, pending, "retry")[1]["error"] == "not_refused"
	assert correct(full, "00000000-0000-0000-0000-000000000001", "ignore")[0] == 404
	assert correct(full, pending, "ignore", "  ")[0] == 422
	assert correct(full, pending, "ignore", "x" * 501)[0] == 422
	edge.hold(punch("7", 700))
	assert correct(full, str(edge.held()[-1].punch.punch_id), "ignore")[1]["error"] == "not_decided_yet"
	assert view(full, f"/api/v1/punches/{pending}")["corrections"] == []


def test_where_the_site_decides_nothing_is_corrected_here(edge: Edge) -> None:
	fill(edge)
	office = Office(edge, site_decides=True)
	assert correct(office, str(edge.held()[0].punch.punch_id), "ignore")[1]["error"] == "site_decides"
	assert view(office, f"/api/v1/punches/{edge.held()[0].punch.punch_id}")["corrections"] == []


# connections


def test_connections_are_tried(full: Office) -> None:
	key = full.key(Scope.ADMIN)

	def tried(name: str) -> Any:
		return full.browser().post("/api/v1/connection-tests", json={"name": name}, headers=key).get_json()

	assert tried("")["ok"] is False
	assert "Nothing answers at 192.0.2.1:443" in tried("")["text"]
	assert "Nothing answers at 127.0.0.1" in tried("Main gate")["text"]
	assert tried("Nowhere") == {"error": "no_such_device"}
