"""The meaning of answers, without any network: nothing that a server can say may do harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.upstreams._frappe.answers import (
	Answer,
	RefusedError,
	failure,
	read_message,
	read_rows,
)
from attendance_bridge.upstreams.erpnext_rest.posted import Ruling, read_post

URL = "https://erp.example.com"

statuses = st.one_of(
	st.integers(min_value=-1, max_value=1000), st.sampled_from([200, 401, 403, 404, 417, 429, 500, 502, 503])
)
json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
	max_leaves=8,
)
frappe_like = st.fixed_dictionaries(
	{},
	optional={
		"message": st.one_of(json_values, st.fixed_dictionaries({"name": json_values})),
		"exc_type": st.one_of(
			json_values,
			st.sampled_from(["ValidationError", "QueryDeadlockError", "AuthenticationError", "TypeError"]),
		),
		"data": json_values,
		"_server_messages": json_values,
	},
)
bodies = st.one_of(
	st.binary(max_size=200),
	json_values.map(lambda value: json.dumps(value).encode()),
	frappe_like.map(lambda value: json.dumps(value).encode()),
)
headers = st.text(max_size=40)
answers = st.builds(
	Answer,
	url=st.just(URL),
	status=statuses,
	body=bodies,
	retry_after=headers,
	date=headers,
	location=headers,
)


def answer(status: int, content: object = None) -> Answer:
	return Answer(url=URL, status=status, body=json.dumps(content).encode())


@given(answers)
def test_a_post_is_accepted_only_with_a_name(received: Answer) -> None:
	posted = read_post(received)
	assert (posted.ruling is Ruling.HELD) == (posted.error is None)
	if posted.ruling is not Ruling.HELD:
		assert posted.reference == ""
		return
	assert received.status == 200
	assert posted.reference == json.loads(received.body)["message"]["name"]
	assert 0 < len(posted.reference.encode()) <= 140 * 4


@given(answers)
def test_only_an_answer_that_says_so_is_a_certain_no(received: Answer) -> None:
	posted = read_post(received)
	if posted.ruling in (Ruling.REFUSED, Ruling.CONFLICT, Ruling.FAILED):
		assert received.status >= 400
		assert posted.exc_type == json.loads(received.body)["exc_type"]
	if received.status >= 500 and not posted.exc_type:
		assert posted.ruling is Ruling.IN_DOUBT


@given(answers)
def test_reading_raises_nothing_but_upstream_errors(received: Answer) -> None:
	for read in (read_rows, read_message):
		try:
			read(received)
		except UpstreamError as error:
			assert error.details["url"] == URL
			assert 0 <= error.details.get("retry_after", 0) <= 3600  # type: ignore[operator]
		else:
			assert received.status == 200


@given(answers, st.text(max_size=60))
def test_texts_do_not_matter(received: Answer, text: str) -> None:
	try:
		content = json.loads(received.body)
	except (ValueError, RecursionError):
		return
	if not isinstance(content, dict):
		return
	content |= {"_server_messages": text, "exception": text, "_error_message": text, "exc": text}
	translated = Answer(url=URL, status=received.status, body=json.dumps(content).encode())
	one, other = read_post(received), read_post(translated)
	assert (one.ruling, one.exc_type, one.reference) == (other.ruling, other.exc_type, other.reference)


@pytest.mark.parametrize(
	"body",
	[
		b"",
		b"[" * 200_000,
		b'{"a":' * 200_000,
		b'{"message": {"name": ' + b"9" * 10_000 + b"}}",
		b'{"message": {"name": "\\ud800"}}',
		b'{"message": {"name": ""}}',
		b'{"message": {"name": "' + b"x" * 141 + b'"}}',
		b'{"message": {"name": true}}',
		b'{"message": "EMP-CKIN-1"}',
		b'\xff\xfe{"message"',
		b"NaN",
	],
)
def test_hostile_successes_are_in_doubt(body: bytes) -> None:
	posted = read_post(Answer(url=URL, status=200, body=body))
	assert posted.ruling is Ruling.IN_DOUBT
	assert posted.error is not None
	assert posted.error.code is Code.GARBAGE


@pytest.mark.parametrize(
	"exc_type", ["", " ", "Validation Error", "x" * 81, "<b>", None, 5, ["ValidationError"]]
)
def test_what_is_no_class_name_is_no_type(exc_type: Any) -> None:
	posted = read_post(answer(500, {"exc_type": exc_type}))
	assert (posted.ruling, posted.exc_type) == (Ruling.IN_DOUBT, "")


@pytest.mark.parametrize(
	("status", "exc_type", "refused"),
	[
		(417, "ValidationError", True),
		(403, "PermissionError", True),
		(404, "DoesNotExistError", True),
		(500, "OperationalError", True),
		(401, "AuthenticationError", False),
		(429, "TooManyRequestsError", False),
		(503, "SessionStopped", False),
		(417, "", False),
	],
)
def test_which_answers_are_the_sites_own_no(status: int, exc_type: str, refused: bool) -> None:
	assert isinstance(failure(answer(status, {"exc_type": exc_type})), RefusedError) == refused


def test_a_redirect_shows_its_host_and_nothing_else() -> None:
	moved = Answer(url=URL, status=301, location="https://u:p@sso.example.com/login?ticket=abc")
	assert failure(moved).details["redirected_to"] == "sso.example.com"
