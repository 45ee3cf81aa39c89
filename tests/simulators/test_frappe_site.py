"""The simulated ERPNext site, seen through `requests`: answers as measured on a real v15 site.

Long, because the tables of answers, of filters and of faults stand whole beside the client that they share.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance_bridge.simulators.frappe_site import errors, verbs
from attendance_bridge.simulators.frappe_site.service import FrappeSite
from attendance_bridge.simulators.frappe_site.state import FAULTS, LASTING, SiteState
from attendance_bridge.simulators.workforce import build

ADD_LOG = "hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
CHECKIN = "/api/resource/Employee Checkin"
TEN = "2026-11-05 10:00:00"
HRMS_KEYS = ["exception", "exc_type", "_exc_source", "exc", "_server_messages"]
CRASH_KEYS = ["exception", "exc_type", "exc"]


class Client:
	"""A keep-alive session with the site's address in front of every path."""

	def __init__(self, site: FrappeSite) -> None:
		self.site = site
		self.session = requests.Session()
		self.session.trust_env = False
		self.token(site.state.api_key, site.state.api_secret)

	def token(self, key: str, secret: str) -> None:
		self.session.headers["Authorization"] = f"token {key}:{secret}"

	def get(self, path: str, **params: Any) -> requests.Response:
		as_text = {
			name: json.dumps(value) if isinstance(value, (list, dict)) else value
			for name, value in params.items()
		}
		return self.session.get(self.site.url + path, params=as_text, timeout=10)

	def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
		return self.session.post(self.site.url + path, json=body, timeout=more.pop("timeout", 10), **more)

	def call(self, method: str, **arguments: Any) -> requests.Response:
		return self.post(f"/api/method/{method}", arguments)

	def punch(self, device_id: Any = "1", timestamp: Any = TEN, **more: Any) -> requests.Response:
		return self.call(ADD_LOG, employee_field_value=device_id, timestamp=timestamp, **more)

	def names(self, path: str = CHECKIN, **params: Any) -> list[str]:
		answer = self.get(path, **params)
		assert answer.status_code == 200, answer.text
		return [row["name"] for row in answer.json()["data"]]


@pytest.fixture
def state() -> SiteState:
	state = SiteState(time_zone="Asia/Dubai")
	verbs.hire(state, "HR-EMP-00001", device_id="1")
	verbs.hire(state, "HR-EMP-00002", device_id="007", status="Inactive")
	verbs.hire(state, "HR-EMP-00003", device_id="A-3", status="Left")
	verbs.hire(state, "HR-EMP-00004", status="Suspended", device_id="Zoë")
	return state


@pytest.fixture
def site(state: SiteState) -> Iterator[FrappeSite]:
	with FrappeSite(state) as running:
		yield running


@pytest.fixture
def client(site: FrappeSite) -> Iterator[Client]:
	client = Client(site)
	yield client
	client.session.close()


class TestAnswers:
	"""Every row of the measured table."""

	def test_success_is_the_whole_document(self, client: Client, state: SiteState) -> None:
		answer = client.punch(device_id="1", log_type="IN")
		assert answer.status_code == 200
		assert answer.headers["Content-Type"] == "application/json"
		assert list(answer.json()) == ["message"]
		document = answer.json()["message"]
		month = f"{state.now():%m-%Y}"
		assert document["name"] == f"EMP-CKIN-{month}-000001"
		assert document["doctype"] == "Employee Checkin"
		assert (document["employee"], document["employee_name"]) == ("HR-EMP-00001", "Employee HR-EMP-00001")
		assert (document["time"], document["log_type"], document["offshift"]) == (TEN, "IN", 1)
		assert "shift" not in document, "empty columns are left out"
		assert list(document)[7:12] == [
			"employee",
			"employee_name",
			"log_type",
			"time",
			"skip_auto_attendance",
		]
		assert state.checkins[0]["time"] == datetime(2026, 11, 5, 10)

	@pytest.mark.parametrize(
		("arguments", "status", "exception", "keys"),
		[
			pytest.param(
				{"employee_field_value": "77777", "timestamp": TEN},
				417,
				"frappe.exceptions.ValidationError: No Employee found for the given employee field value. "
				"'attendance_device_id': 77777",
				HRMS_KEYS,
				id="unknown device id",
			),
			pytest.param(
				{"employee_field_value": "007", "timestamp": TEN},
				417,
				"erpnext.setup.doctype.employee.employee.InactiveEmployeeStatusError: Transactions cannot be "
				'created for an Inactive Employee <a href="SITE/app/employee/HR-EMP-00002">HR-EMP-00002</a>.',
				HRMS_KEYS,
				id="inactive employee",
			),
			pytest.param(
				{"employee_field_value": "1"},
				500,
				"TypeError: add_log_based_on_employee_field() missing 1 required positional argument: "
				"'timestamp'",
				CRASH_KEYS,
				id="timestamp absent",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": ""},
				417,
				"frappe.exceptions.ValidationError: 'employee_field_value' and 'timestamp' are required.",
				HRMS_KEYS,
				id="timestamp empty",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": "yesterday"},
				500,
				"dateutil.parser._parser.ParserError: Unknown string format: yesterday",
				["exception", "exc_type", "_exc_source", "exc"],
				id="timestamp garbage",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": "2026-11-05T10:00:00+04:00"},
				500,
				'pymysql.err.OperationalError: (1292, "Incorrect datetime value: '
				"'2026-11-05 10:00:00+04:00' "
				'for column `tabEmployee Checkin`.`time` at row 1")',
				["exception", "exc_type", "_exc_source", "exc"],
				id="timestamp with an offset",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": TEN, "log_type": "BREAK"},
				417,
				'frappe.exceptions.ValidationError:  Log Type cannot be "BREAK". It should be one of "", '
				'"IN", "OUT"',
				HRMS_KEYS,
				id="log_type BREAK",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": TEN, "employee_fieldname": "shoe_size"},
				500,
				"pymysql.err.OperationalError: (1054, \"Unknown column 'shoe_size' in 'SELECT'\")",
				["exception", "exc_type", "_exc_source", "exc"],
				id="unknown employee_fieldname",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": TEN, "employee_fieldname": "name`='x' or 1=1"},
				417,
				"frappe.exceptions.ValidationError: Invalid filter: name`='x' or 1=1",
				HRMS_KEYS,
				id="employee_fieldname that is no name",
			),
			pytest.param(
				{"employee_field_value": "1", "timestamp": "9999-12-31 10:00:00"},
				500,
				"OverflowError: date value out of range",
				["exception", "exc_type", "_exc_source", "exc"],
				id="timestamp on the last day of all",
			),
		],
	)
	def test_refusal(
		self,
		client: Client,
		state: SiteState,
		arguments: dict[str, str],
		status: int,
		exception: str,
		keys: Any,
	) -> None:
		for answer in (
			client.post(f"/api/method/{ADD_LOG}", arguments),
			client.post(f"/api/method/{ADD_LOG}", data=arguments),
		):
			assert answer.status_code == status
			body = answer.json()
			assert list(body) == keys
			expected = exception.replace("SITE", client.site.url)
			assert body["exception"] == expected
			assert body["exc_type"] == expected.partition(":")[0].rpartition(".")[2]
			(traceback,) = json.loads(body["exc"])
			assert traceback.rstrip().endswith(expected)
		assert state.checkins == []

	def test_server_messages_are_json_in_json_in_json(self, client: Client) -> None:
		body = client.punch(device_id="77777").json()
		(message,) = [json.loads(text) for text in json.loads(body["_server_messages"])]
		assert list(message) == ["message", "title", "indicator", "raise_exception", "__frappe_exc_id"]
		assert message["message"].endswith("'attendance_device_id': 77777")
		assert (message["title"], message["indicator"], message["raise_exception"]) == ("Message", "red", 1)
		assert body["_exc_source"] == "hrms (app)"

	def test_duplicate(self, client: Client, state: SiteState) -> None:
		first = client.punch(log_type="IN").json()["message"]["name"]
		again = client.punch(log_type="IN", timestamp="2026-11-05 10:00:00.900000", device_id="1")
		assert again.status_code == 417
		assert again.json()["exc_type"] == "ValidationError"
		link = f'<a href="/app/Form/Employee Checkin/{first}" style="font-weight: bold;">'
		assert again.json()["exception"].endswith(f"{link}Employee Checkin Employee HR-EMP-00001</a>")
		assert len(state.checkins) == 1

	def test_blank_and_no_log_type_are_equal(self, client: Client) -> None:
		assert client.punch().json()["message"]["log_type"] == ""
		assert client.punch(log_type="").status_code == 417
		assert client.punch(log_type=None).status_code == 417

	def test_another_log_type_is_another_check_in(self, client: Client, state: SiteState) -> None:
		assert [client.punch(log_type=each).status_code for each in ("IN", "OUT", None)] == [200, 200, 200]
		assert state.duplicates() == [("HR-EMP-00001", datetime(2026, 11, 5, 10))]

	def test_device_id_too_long(self, client: Client) -> None:
		assert client.post(CHECKIN, _document(device_id="x" * 140)).status_code == 200
		answer = client.post(CHECKIN, _document(device_id="x" * 141, log_type="OUT"))
		assert answer.status_code == 417
		assert answer.json()["exc_type"] == "CharacterLengthExceededError"

	def test_no_authentication(self, client: Client) -> None:
		del client.session.headers["Authorization"]
		answer = client.punch()
		assert answer.status_code == 403
		assert answer.json()["exc_type"] == "PermissionError"
		(message,) = [json.loads(text) for text in json.loads(answer.json()["_server_messages"])]
		assert message["title"] == "Method Not Allowed"
		assert f"<strong>{ADD_LOG}</strong> is not whitelisted" in message["message"]
		assert client.get("/api/resource/Employee").status_code == 403
		assert client.get("/api/method/ping").json() == {"message": "pong"}

	@pytest.mark.parametrize(
		"header",
		[
			"token 0123456789abcde:wrong",
			"token wrong:edcba9876543210",
			"token nothing",
			"Bearer abc",
			"Basic OnM=",
		],
	)
	def test_wrong_key_or_secret(self, client: Client, header: str) -> None:
		client.session.headers["Authorization"] = header
		for answer in (client.punch(), client.get("/api/resource/Employee"), client.get("/api/method/ping")):
			assert answer.status_code == 401
			assert list(answer.json()) == CRASH_KEYS
			assert answer.json()["exc_type"] == "AuthenticationError"

	def test_basic_authentication(self, client: Client, state: SiteState) -> None:
		del client.session.headers["Authorization"]
		client.session.auth = (state.api_key, state.api_secret)
		assert client.get("/api/method/frappe.auth.get_logged_user").json() == {"message": state.user}

	def test_role_without_permission(self, client: Client, state: SiteState) -> None:
		state.roles = {"Employee Self Service"}
		answer = client.punch()
		assert answer.status_code == 403
		assert list(answer.json()) == ["exc_type", "_server_messages", "_error_message"]
		assert client.get(CHECKIN).status_code == 403
		assert client.get("/api/resource/Employee/HR-EMP-00001").status_code == 403
		assert client.punch(device_id="77777").status_code == 417, "the employee is looked up before"

	@pytest.mark.parametrize(
		("method", "reason"),
		[
			("frappe.client.get_lost", "module 'frappe.client' has no attribute 'get_lost'"),
			("frappe.no.such", "No module named 'frappe.no'"),
			("attendance_bridge.api.ingest", "App attendance_bridge is not installed"),
			("pong", "'pong'"),
		],
	)
	def test_unknown_method(self, client: Client, method: str, reason: str) -> None:
		answer = client.call(method)
		assert answer.status_code == 417
		assert answer.json()["exception"].endswith(
			f"ValidationError: Failed to get method for command {method} with {reason}"
		)
		messages = json.loads(answer.json()["_server_messages"])
		assert len(messages) == (2 if method.startswith("attendance") else 1)

	def test_a_module_is_no_method(self, client: Client) -> None:
		answer = client.call("frappe.client")
		assert (answer.status_code, answer.json()["exc_type"]) == (500, "AttributeError")

	def test_missing_document(self, client: Client, state: SiteState) -> None:
		answer = client.get("/api/resource/Employee/HR-EMP-99999")
		assert answer.status_code == 404
		assert list(answer.json()) == ["exc_type", "_server_messages"]
		assert answer.json()["exc_type"] == "DoesNotExistError"
		state.roles = set()
		assert client.get("/api/resource/Employee/HR-EMP-99999").status_code == 403
		assert client.get("/api/resource//HR-EMP-00001").json() == {"exc_type": "DoesNotExistError"}

	def test_the_class_of_a_document_is_looked_for_before_its_type(self, client: Client) -> None:
		for answer in (client.get("/api/resource/No Such/X"), client.post("/api/resource/No Such", {})):
			assert (answer.status_code, answer.json()["exc_type"]) == (500, "ImportError")
			assert answer.json()["exception"] == "Error: No module named 'frappe.core.doctype.no_such'"

	def test_unknown_site_is_html(self, client: Client, state: SiteState) -> None:
		state.host_name = "hr.example.com"
		answer = client.get("/api/method/ping")
		assert answer.status_code == 404
		assert answer.headers["Content-Type"].startswith("text/html")
		for host in ("hr.example.com:8000", "hr.example.com"):
			client.session.headers["Host"] = host
			assert client.get("/api/method/ping").status_code == 200

	@pytest.mark.parametrize(
		("device_id", "more"),
		[
			pytest.param("A-3", {}, id="Left"),
			pytest.param("Zoë", {}, id="Suspended"),
			pytest.param("1", {"timestamp": "2030-01-01 00:00:00"}, id="the future"),
			pytest.param(1, {}, id="an integer id"),
			pytest.param("1", {"timestamp": "2026-11-05T10:00:00.123456"}, id="a T and microseconds"),
			pytest.param("HR-EMP-00001", {"employee_fieldname": "name"}, id="by another field"),
		],
	)
	def test_accepted_all_the_same(self, client: Client, state: SiteState, device_id: Any, more: Any) -> None:
		assert client.punch(device_id, **more).status_code == 200
		assert len(state.checkins) == 1

	def test_geolocation_demands_coordinates(self, client: Client, state: SiteState) -> None:
		verbs.set_faults(state, "geolocation")
		assert client.punch().status_code == 417
		assert client.punch(latitude=0, longitude=0).status_code == 417
		answer = client.punch(latitude=25.2, longitude=55.3)
		assert answer.status_code == 200
		assert answer.json()["message"]["latitude"] == 25.2

	def test_an_offset_and_a_shift(self, client: Client, state: SiteState) -> None:
		employee = state.employees.find("HR-EMP-00001")
		assert employee is not None
		employee.default_shift = "Day"
		answer = client.punch(timestamp="2026-11-05T10:00:00Z")
		assert (answer.status_code, answer.json()["exc_type"]) == (500, "TypeError")

	def test_device_ids_that_no_database_takes(self, client: Client, state: SiteState) -> None:
		refused = [client.punch(device_id="1", log_type={"a": 1})]
		refused += [client.post(CHECKIN, _document(device_id=each)) for each in (["a"], {"a": 1}, "\ud800")]
		assert [answer.json()["exc_type"] for answer in refused] == [
			"ValueError",
			"ValidationError",
			"TypeError",
			"UnicodeEncodeError",
		]
		assert state.checkins == []

	def test_a_get_is_rolled_back(self, client: Client, state: SiteState) -> None:
		answer = client.get(f"/api/method/{ADD_LOG}", employee_field_value="1", timestamp=TEN)
		assert answer.status_code == 200
		assert state.checkins == []


class TestRights:
	"""Whose check-ins are taken, and under what time."""

	def test_the_role_employee_may_create_but_not_say_when(self, client: Client, state: SiteState) -> None:
		state.roles = {"Employee"}
		before = state.now().replace(microsecond=0)
		answer = client.punch()
		assert answer.status_code == 200
		(row,) = state.checkins
		assert row["time"] >= before, "it was sent with another time"  # type: ignore[operator]
		assert client.get("/api/resource/Employee").status_code == 200

	def test_user_permissions_hide_employees(self, client: Client, state: SiteState) -> None:
		verbs.enter_checkin(state, "HR-EMP-00003", datetime(2026, 11, 5))
		state.user_permissions = {"HR-EMP-00001"}
		assert client.names("/api/resource/Employee") == ["HR-EMP-00001"]
		assert client.names("/api/resource/Employee", filters=[["name", "=", "HR-EMP-00003"]]) == []
		assert client.names() == []
		assert client.punch("1").status_code == 200
		refused = client.punch("A-3")
		assert (refused.status_code, refused.json()["exc_type"]) == (403, "PermissionError")
		assert list(refused.json()) == [*HRMS_KEYS, "_error_message"]
		assert client.punch("007").json()["exc_type"] == "PermissionError", "looked at before the status"
		assert client.get("/api/resource/Employee/HR-EMP-00003").status_code == 403

	def test_has_permission_by_kind(self, client: Client, state: SiteState) -> None:
		def may(right: str, docname: Any = "", doctype: str = "Employee Checkin") -> requests.Response:
			return client.call(
				"frappe.client.has_permission", doctype=doctype, docname=docname, perm_type=right
			)

		def rights() -> list[str]:
			asked = ("create", "CREATE", "read", "submit", "export", "nonsense")
			return [each for each in asked if may(each).json()["message"]["has_permission"]]

		assert rights() == ["create", "CREATE", "read", "export"]
		state.roles = {"Employee"}
		assert rights() == ["create", "CREATE", "read"]
		assert not may("create", doctype="Employee").json()["message"]["has_permission"]
		assert may("read", "HR-EMP-99999", "Employee").status_code == 404
		state.roles = set()
		assert may("read", "HR-EMP-99999", "Employee").status_code == 403
		wrong_type = may("read", 5)
		assert (wrong_type.status_code, wrong_type.json()["exc_type"]) == (417, "FrappeTypeError")
		assert list(wrong_type.json()) == CRASH_KEYS

	def test_the_key_is_compared_as_the_database_does(self, client: Client, state: SiteState) -> None:
		client.token(state.api_key.upper(), state.api_secret)
		assert client.get("/api/method/frappe.auth.get_logged_user").json() == {"message": state.user}
		client.token(state.api_key, state.api_secret.upper() + "A")
		assert client.get("/api/method/ping").status_code == 401


class TestIds:
	"""What the database holds equal."""

	@pytest.mark.parametrize("device_id", ["a-3", "A-3  ", "zoe", "ZOË"])
	def test_case_accents_and_trailing_spaces_do_not_count(self, client: Client, device_id: str) -> None:
		assert client.punch(device_id).status_code == 200

	@pytest.mark.parametrize("device_id", [" A-3", "7", "01"])
	def test_leading_spaces_and_zeros_do(self, client: Client, device_id: str) -> None:
		assert client.punch(device_id).json()["exc_type"] == "ValidationError"

	def test_a_number_is_compared_by_number(self, client: Client) -> None:
		assert client.punch(7).json()["exc_type"] == "InactiveEmployeeStatusError", '7 is "007"'

	def test_attendance_device_id_is_unique(self, state: SiteState) -> None:
		with pytest.raises(ValueError, match="a-3"):
			verbs.hire(state, "HR-EMP-00009", device_id="a-3")
		verbs.set_device_id(state, "HR-EMP-00003", None)
		verbs.hire(state, "HR-EMP-00009", device_id="a-3")


class TestDocuments:
	def test_create_and_read_by_name(self, client: Client) -> None:
		made = client.post(CHECKIN, _document(log_type="OUT", skip_auto_attendance=1))
		assert made.status_code == 200
		document = made.json()["data"]
		assert (document["log_type"], document["skip_auto_attendance"]) == ("OUT", 1)
		read = client.get(f"{CHECKIN}/{document['name'].lower()}")
		assert read.json()["data"] == document
		assert client.get(f"/api/v1/resource/Employee Checkin/{document['name']}/").json() == read.json()

	def test_create_under_a_name_of_ones_own(self, client: Client, state: SiteState) -> None:
		made = client.post(CHECKIN, _document(name="my-own-1"))
		assert made.json()["data"]["name"] == "my-own-1"
		taken = client.post(CHECKIN, _document(name="MY-OWN-1", log_type="OUT"))
		assert (taken.status_code, taken.json()["exc_type"]) == (409, "DuplicateEntryError")
		(message,) = [json.loads(text) for text in json.loads(taken.json()["_server_messages"])]
		assert (message["title"], message["indicator"]) == ("Duplicate Name", "red")
		assert client.punch(name="x", log_type="IN").json()["message"]["name"].endswith("-000001")
		assert [row["name"] for row in state.checkins] == ["my-own-1", client.names()[1]]

	def test_create_without_time_is_now(self, client: Client, state: SiteState) -> None:
		before = state.now().replace(microsecond=0)
		assert client.post(CHECKIN, {"employee": "HR-EMP-00001"}).status_code == 200
		(row,) = state.checkins
		assert before <= row["time"] <= state.now()  # type: ignore[operator]

	def test_create_from_a_form_field_called_data(self, client: Client) -> None:
		answer = client.post(CHECKIN, data={"data": json.dumps(_document())})
		assert answer.status_code == 200

	@pytest.mark.parametrize(
		("document", "exc_type"),
		[
			({"employee": "HR-EMP-99999", "time": TEN}, "LinkValidationError"),
			({"time": TEN}, "MandatoryError"),
			({"employee": "HR-EMP-00002", "time": TEN}, "InactiveEmployeeStatusError"),
			({"employee": "HR-EMP-00001", "time": TEN, "log_type": "BREAK"}, "ValidationError"),
		],
	)
	def test_create_refused(self, client: Client, document: dict[str, str], exc_type: str) -> None:
		answer = client.post(CHECKIN, document)
		assert answer.status_code == 417
		assert answer.json()["exc_type"] == exc_type

	def test_insert_many_is_all_or_nothing(self, client: Client, state: SiteState) -> None:
		docs = [_document(doctype="Employee Checkin", time=f"2026-11-05 10:00:{n:02d}") for n in range(5)]
		answer = client.call("frappe.client.insert_many", docs=docs)
		assert answer.json()["message"] == [row["name"] for row in state.checkins]
		more = [_document(doctype="Employee Checkin", time="2026-11-06 10:00:00"), docs[3]]
		refused = client.call("frappe.client.insert_many", docs=json.dumps(more))
		assert refused.status_code == 417
		assert refused.json()["exc_type"] == "ValidationError"
		twice_within = [more[0], more[0]]
		assert client.call("frappe.client.insert_many", docs=twice_within).status_code == 417
		assert len(state.checkins) == 5

	def test_insert_many_takes_200(self, client: Client, state: SiteState) -> None:
		docs = [
			_document(doctype="Employee Checkin", time=f"2026-11-05 1{n // 60}:{n % 60:02d}:00")
			for n in range(201)
		]
		assert client.call("frappe.client.insert_many", docs=docs).status_code == 417
		assert client.call("frappe.client.insert_many", docs=docs[1:]).status_code == 200
		assert len(state.checkins) == 200

	def test_insert_many_by_get_is_not_permitted(self, client: Client) -> None:
		answer = client.get("/api/method/frappe.client.insert_many", docs="[]")
		assert (answer.status_code, answer.json()["exc_type"]) == (403, "PermissionError")

	def test_unknown_doctype(self, client: Client, state: SiteState) -> None:
		assert client.get("/api/resource/Employe").status_code == 404
		state.roles = {"HR User"}
		assert client.get("/api/resource/Employe").json()["exc_type"] == "PermissionError"

	def test_what_is_not_played_says_so(self, client: Client) -> None:
		assert client.get("/api/resource/Shift Type").status_code == 501
		assert client.call("frappe.client.save", doc={}).status_code == 501
		assert client.get("/api/v2/method/ping").status_code == 501
		assert client.get(CHECKIN, as_dict="0").status_code == 501
		assert client.get(CHECKIN, filters=["name", "=", "x"]).status_code == 501
		parts = {"employee_field_value": (None, "1"), "timestamp": (None, TEN)}
		assert client.session.post(client.site.url + CHECKIN, files=parts, timeout=10).status_code == 501
		assert client.session.delete(client.site.url + CHECKIN + "/EMP-CKIN-1", timeout=10).status_code == 501


class TestLists:
	@pytest.fixture
	def rows(self, state: SiteState) -> list[str]:
		moments = ["2026-11-04 23:59:59", "2026-11-05 08:00:00", "2026-11-05 17:00:00", "2026-11-06 00:00:00"]
		made = []
		for employee in ("HR-EMP-00001", "HR-EMP-00003"):
			for position, moment in enumerate(moments):
				log_type = (None, "IN", "OUT", "")[position]
				row = verbs.enter_checkin(state, employee, datetime.fromisoformat(moment), log_type)
				made.append(row.name)
		return made

	def test_default_is_name_and_twenty_rows(self, client: Client, state: SiteState) -> None:
		for minute in range(25):
			verbs.enter_checkin(state, "HR-EMP-00001", datetime(2026, 11, 5, 8, minute))
		answer = client.get(CHECKIN).json()["data"]
		assert len(answer) == 20
		assert set(answer[0]) == {"name"}
		assert len(client.names(limit_page_length=0)) == 25
		assert len(client.names(limit="5")) == 5

	def test_pages_cover_everything_once(self, client: Client, rows: list[str]) -> None:
		seen: list[str] = []
		while page := client.names(order_by="name asc", limit_start=len(seen), limit_page_length=3):
			seen += page
		assert seen == sorted(rows)

	@pytest.mark.parametrize(
		("filters", "expected"),
		[
			([["employee", "=", "HR-EMP-00001"]], [0, 1, 2, 3]),
			([["Employee Checkin", "employee", "=", "hr-emp-00003 "]], [4, 5, 6, 7]),
			({"employee": "HR-EMP-00001", "log_type": "IN"}, [1]),
			({"time": [">=", "2026-11-06 00:00:00"]}, [3, 7]),
			([["time", "between", ["2026-11-05", "2026-11-05"]]], [1, 2, 5, 6]),
			([["time", "between", ["2026-11-05 08:00:00", "2026-11-05 17:00:00"]]], [1, 2, 5, 6]),
			([["time", "between", ["2026-11-05T09:00:00", "2026-11-05T10:00:00"]]], [1, 2, 5, 6]),
			([["time", "<", "2026-11-05"]], [0, 4]),
			([["time", "=", "2026-11-05T08:00:00.000000"]], [1, 5]),
			([["employee", "in", ["HR-EMP-00001"]], ["time", "in", ["2026-11-05 08:00:00", "junk"]]], [1]),
			([["employee", "not in", ["HR-EMP-00001", "X"]]], [4, 5, 6, 7]),
			([["log_type", "is", "set"], ["employee", "=", "HR-EMP-00001"]], [1, 2]),
			([["log_type", "is", "not set"], ["employee", "=", "HR-EMP-00001"]], [0, 3]),
			([["log_type", "=", ""], ["employee", "=", "HR-EMP-00001"]], [0, 3]),
			([["log_type", "!=", "IN"], ["employee", "=", "HR-EMP-00001"]], [0, 2, 3]),
			([["log_type", "not in", ["IN"]], ["employee", "=", "HR-EMP-00001"]], [0, 2, 3]),
			([["log_type", "like", "%n"], ["employee", "=", "HR-EMP-00001"]], [1]),
			([["log_type", "not like", "i_"], ["employee", "=", "HR-EMP-00001"]], [0, 2, 3]),
			([["employee", ">", "HR-EMP-00001"], ["log_type", "=", "OUT"]], [6]),
			([["docstatus", "=", "0"], ["employee", "<=", "HR-EMP-00001"]], [0, 1, 2, 3]),
			([["skip_auto_attendance", "=", 1]], []),
		],
	)
	def test_filters(self, client: Client, rows: list[str], filters: Any, expected: list[int]) -> None:
		found = client.names(filters=filters, limit_page_length=0)
		assert sorted(found) == [rows[position] for position in expected]
		counted = client.call("frappe.client.get_count", doctype="Employee Checkin", filters=filters)
		assert counted.json() == {"message": len(expected)}

	def test_filter_by_name(self, client: Client, rows: list[str]) -> None:
		assert client.names(filters=[["name", "in", [rows[2], rows[5], "EMP-CKIN-X"]]]) == [rows[2], rows[5]]
		assert client.names(filters={"name": rows[1]}) == [rows[1]]

	def test_fields_and_order(self, client: Client, rows: list[str]) -> None:
		answer = client.get(
			CHECKIN,
			fields=["employee as who", "`tabEmployee Checkin`.`time`", "log_type"],
			filters=[["employee", "=", "HR-EMP-00001"]],
			order_by="`tabEmployee Checkin`.`log_type` desc, time",
		).json()["data"]
		assert answer == [
			{"who": "HR-EMP-00001", "time": "2026-11-05 17:00:00", "log_type": "OUT"},
			{"who": "HR-EMP-00001", "time": "2026-11-05 08:00:00", "log_type": "IN"},
			{"who": "HR-EMP-00001", "time": "2026-11-06 00:00:00", "log_type": ""},
			{"who": "HR-EMP-00001", "time": "2026-11-04 23:59:59", "log_type": None},
		]
		(whole,) = client.get(CHECKIN, fields=["*"], limit=1).json()["data"]
		assert {
			"name",
			"modified",
			"docstatus",
			"employee_name",
			"device_id",
			"shift_actual_end",
		} < whole.keys()

	def test_get_list_method(self, client: Client) -> None:
		answer = client.call(
			"frappe.client.get_list",
			doctype="Employee",
			fields=["name", "attendance_device_id"],
			filters={"status": ["!=", "Left"]},
			order_by="name desc",
			limit_page_length=2,
		)
		assert answer.json()["message"] == [
			{"name": "HR-EMP-00004", "attendance_device_id": "Zoë"},
			{"name": "HR-EMP-00002", "attendance_device_id": "007"},
		]

	@pytest.mark.parametrize(
		("params", "status", "exc_type"),
		[
			({"fields": ["shoe_size"]}, 417, "DataError"),
			({"filters": [["shoe_size", "=", 1]]}, 417, "DataError"),
			({"filters": [["name", "resembles", 1]]}, 417, "ValidationError"),
			({"filters": "[["}, 500, "JSONDecodeError"),
			({"fields": "*"}, 500, "JSONDecodeError"),
			({"filters": [["time", ">", "soon"]]}, 500, "ParserError"),
			({"order_by": "shoe_size"}, 500, "OperationalError"),
			({"order_by": "name; drop table"}, 417, "ValidationError"),
			({"order_by": "name foo"}, 500, "ProgrammingError"),
			({"order_by": "tabEmployee Checkin.name"}, 500, "ProgrammingError"),
			({"limit_start": -1}, 500, "ProgrammingError"),
			({"limit_start": 10**20}, 500, "ProgrammingError"),
			({"fields": [1]}, 500, "TypeError"),
			({"filters": [["log_type", "is", "junk"]]}, 500, "ProgrammingError"),
			({"filters": [["name", "=", ["x"]]]}, 500, "ProgrammingError"),
			({"filters": [["time", "between", ["x", "y"]]]}, 417, "ValidationError"),
			({"filters": [["employee", "between", ["A", "Z"]]]}, 500, "ProgrammingError"),
		],
	)
	def test_refused(self, client: Client, params: Any, status: int, exc_type: str) -> None:
		answer = client.get(CHECKIN, **params)
		assert (answer.status_code, answer.json()["exc_type"]) == (status, exc_type)

	def test_a_statement_that_the_database_cannot_read_is_shown(self, client: Client) -> None:
		answer = client.get(CHECKIN, limit_start=-1)
		assert list(answer.json()) == [*CRASH_KEYS, "_debug_messages"]

	def test_get_count_goes_straight_to_the_database(self, client: Client, state: SiteState) -> None:
		def count(doctype: str, filters: Any) -> tuple[int, str]:
			answer = client.call("frappe.client.get_count", doctype=doctype, filters=filters)
			return answer.status_code, answer.json()["exc_type"]

		state.roles = set()
		assert count("Employee", {"shoe_size": 1}) == (500, "OperationalError")
		assert count("No Such", {}) == (500, "ProgrammingError")

	def test_get_value(self, client: Client) -> None:
		def value(**arguments: Any) -> Any:
			return client.call("frappe.client.get_value", **arguments).json()["message"]

		assert value(doctype="Employee", fieldname="status", filters="HR-EMP-00003") == {"status": "Left"}
		assert value(
			doctype="Employee", fieldname='["name", "status"]', filters={"attendance_device_id": "a-3"}
		) == {"name": "HR-EMP-00003", "status": "Left"}
		assert value(doctype="Employee", fieldname="name", filters={"attendance_device_id": "8"}) == {}
		assert value(doctype="System Settings", fieldname="time_zone") == {"time_zone": "Asia/Dubai"}

	def test_time_zone_is_for_system_managers_or_by_method(self, client: Client, state: SiteState) -> None:
		settings_path = "/api/resource/System Settings/System Settings"
		assert client.get(settings_path).json()["data"]["time_zone"] == "Asia/Dubai"
		state.roles = {"HR User"}
		assert client.get(settings_path).status_code == 403
		refused = client.call("frappe.client.get_value", doctype="System Settings", fieldname="time_zone")
		assert (refused.status_code, refused.json()["exc_type"]) == (403, "PermissionError")
		assert client.call("frappe.client.get_time_zone").json() == {"message": {"time_zone": "Asia/Dubai"}}

	def test_get_time_zone_names_that_of_the_users_profile(self, client: Client, state: SiteState) -> None:
		state.user_time_zone = "Asia/Karachi"
		assert client.call("frappe.client.get_time_zone").json() == {"message": {"time_zone": "Asia/Karachi"}}
		single = client.call("frappe.client.get_single_value", doctype="System Settings", field="time_zone")
		assert single.json() == {"message": "Asia/Dubai"}

	def test_settings(self, client: Client, state: SiteState) -> None:
		def ask(method: str, **arguments: Any) -> Any:
			return client.call(method, doctype="HR Settings", **arguments).json().get("message")

		field = "allow_geolocation_tracking"
		assert ask("frappe.client.get_single_value", field=field) == 0
		verbs.set_faults(state, "geolocation")
		assert ask("frappe.client.get_single_value", field=field) == 1
		assert ask("frappe.client.get_value", fieldname=field) == {field: "1"}, "raw from tabSingles"
		assert ask("frappe.client.get_value", fieldname="no_such_field") == {}
		document = client.get("/api/resource/HR Settings/HR Settings").json()["data"]
		assert document[field] == 1
		refused = client.call("frappe.client.get_single_value", doctype="HR Settings", field="no_such_field")
		assert (refused.status_code, refused.json()["exc_type"]) == (417, "ValidationError")

	def test_has_permission(self, client: Client, state: SiteState) -> None:
		def ask() -> Any:
			return client.call(
				"frappe.client.has_permission", doctype="Employee", docname="HR-EMP-00001", perm_type="read"
			).json()

		assert ask() == {"message": {"has_permission": True}}
		verbs.set_faults(state, "no-permission")
		assert ask() == {"message": {"has_permission": False}}

	def test_versions(self, client: Client) -> None:
		answer = client.get("/api/method/frappe.utils.change_log.get_versions").json()["message"]
		assert answer["hrms"]["version"] == "15.47.8"


class TestRace:
	"""No unique index stands behind the duplicate rule."""

	@staticmethod
	def _post_together(site: FrappeSite, people: int = 2) -> list[int]:
		start, statuses = threading.Barrier(people), []

		def post() -> None:
			client = Client(site)
			start.wait()
			statuses.append(client.punch().status_code)
			client.session.close()

		threads = [threading.Thread(target=post) for _ in range(people)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		return sorted(statuses)

	def test_two_posts_at_once_are_both_accepted(self, site: FrappeSite, state: SiteState) -> None:
		state.service_seconds = 0.3
		assert self._post_together(site) == [200, 200]
		assert state.duplicates() == [("HR-EMP-00001", datetime(2026, 11, 5, 10))]
		assert len({row["name"] for row in state.checkins}) == 2

	def test_a_strict_site_accepts_one(self, site: FrappeSite, state: SiteState) -> None:
		state.strict, state.service_seconds = True, 0.05
		assert self._post_together(site) == [200, 417]
		assert state.duplicates() == []

	def test_posts_wait_for_a_worker(self, state: SiteState) -> None:
		state.workers, state.service_seconds = 1, 0.1
		with FrappeSite(state) as site:
			began = time.monotonic()
			assert self._post_together(site, people=3) == [200, 417, 417]
		assert time.monotonic() - began >= 0.3


class TestFaults:
	def test_every_fault_has_help_and_is_played(self, client: Client, state: SiteState) -> None:
		state.slow_seconds = 0.01
		for fault, text in FAULTS.items():
			assert text
			verbs.set_faults(state, fault, every=1)
			try:
				answer = client.punch(device_id="77777")
			except requests.ConnectionError:
				assert fault.startswith("reset")
			else:
				assert answer.status_code >= 400 or fault == "html"
		with pytest.raises(ValueError, match="no such fault: typo"):
			verbs.set_faults(state, "typo")

	def test_every_third_request_fails(self, client: Client, state: SiteState) -> None:
		verbs.set_faults(state, "maintenance")
		statuses = [client.get("/api/method/ping").status_code for _ in range(6)]
		assert statuses == [200, 200, 503, 200, 200, 503]
		assert state.counters["fault:maintenance"] == 2

	def test_the_first_two_fail(self, client: Client, state: SiteState) -> None:
		verbs.set_faults(state, "rate-limit", every=1, limit=2)
		answers = [client.get("/api/method/ping") for _ in range(3)]
		assert [answer.status_code for answer in answers] == [429, 429, 200]
		assert answers[0].headers["Retry-After"] == "1"
		assert answers[0].json()["exc_type"] == "TooManyRequestsError"

	@pytest.mark.parametrize(
		("fault", "status", "exc_type"),
		[
			("deadlock", 500, "QueryDeadlockError"),
			("maintenance", 503, "SessionStopped"),
			("rate-limit", 429, "TooManyRequestsError"),
			("token-expired", 401, "AuthenticationError"),
			("no-permission", 403, "PermissionError"),
		],
	)
	def test_refused_and_not_processed(
		self, client: Client, state: SiteState, fault: str, status: int, exc_type: str
	) -> None:
		verbs.set_faults(state, fault, every=1)
		answer = client.punch()
		assert (answer.status_code, answer.json()["exc_type"]) == (status, exc_type)
		assert state.checkins == []
		verbs.clear_faults(state)
		assert client.punch().status_code == 200

	@pytest.mark.parametrize(
		("fault", "status", "held"),
		[("bad-gateway", 502, 0), ("bad-gateway-after", 502, 1), ("html", 200, 0)],
	)
	def test_pages_in_place_of_an_answer(
		self, client: Client, state: SiteState, fault: str, status: int, held: int
	) -> None:
		verbs.set_faults(state, fault, every=1)
		answer = client.punch()
		assert answer.status_code == status
		assert answer.headers["Content-Type"].startswith("text/html")
		assert len(state.checkins) == held

	@pytest.mark.parametrize(("fault", "held"), [("reset-before", 0), ("reset-after", 1)])
	def test_resets(self, site: FrappeSite, state: SiteState, fault: str, held: int) -> None:
		verbs.set_faults(state, fault, every=1)
		connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
		connection.request(
			"POST",
			f"/api/method/{ADD_LOG}",
			json.dumps({"employee_field_value": "1", "timestamp": TEN}),
			{
				"Authorization": f"token {state.api_key}:{state.api_secret}",
				"Content-Type": "application/json",
			},
		)
		with pytest.raises(ConnectionResetError):
			connection.getresponse()
		connection.close()
		assert len(state.checkins) == held

	def test_slow_is_processed(self, client: Client, state: SiteState) -> None:
		verbs.set_faults(state, "slow", every=1)
		with pytest.raises(requests.ReadTimeout):
			client.post(
				f"/api/method/{ADD_LOG}", {"employee_field_value": "1", "timestamp": TEN}, timeout=0.3
			)
		assert len(state.checkins) == 1

	def test_a_deadlock_spares_readers(self, client: Client, state: SiteState) -> None:
		verbs.set_faults(state, "deadlock", every=1)
		assert client.get(CHECKIN).status_code == 200

	def test_translated_changes_texts_only(self, client: Client, state: SiteState) -> None:
		english = client.punch(device_id="77777").json()
		verbs.set_faults(state, "translated")
		german = client.punch(device_id="77777").json()
		assert german["exc_type"] == english["exc_type"]
		assert list(german) == list(english)
		assert german["exception"] != english["exception"]
		assert "No Employee" not in json.dumps(german)

	def test_every_message_has_a_translation(self) -> None:
		texts = {
			value
			for name, value in vars(errors).items()
			if name.isupper() and isinstance(value, str) and name != "HRMS"
		}
		assert texts <= errors.TRANSLATED.keys()
		for english, other in errors.TRANSLATED.items():
			assert english != other
			assert english.count("{}") == other.count("{}")

	def test_lasting_faults_are_faults(self) -> None:
		assert FAULTS.keys() > LASTING


class TestWire:
	def test_connections_are_kept_alive(self, site: FrappeSite) -> None:
		connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
		connection.connect()
		kept = connection.sock
		for method in ("GET", "HEAD", "GET"):
			connection.request(method, "/api/method/ping")
			answer = connection.getresponse()
			assert answer.read() == (b'{"message":"pong"}' if method == "GET" else b"")
			assert connection.sock is kept
		connection.close()

	def test_malformed_json(self, client: Client) -> None:
		answer = client.post(
			f"/api/method/{ADD_LOG}", data=b'{"a":', headers={"Content-Type": "application/json"}
		)
		assert (answer.status_code, answer.json()["exc_type"]) == (500, "JSONDecodeError")
		answer = client.post(f"/api/method/{ADD_LOG}", 5)
		assert (answer.status_code, answer.json()["exc_type"]) == (417, "ValidationError")

	def test_a_client_that_prefers_text_gets_a_page(self, client: Client) -> None:
		client.session.headers["Accept"] = "text/html"
		answer = client.get("/api/resource/Employee/HR-EMP-99999")
		assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")

	@pytest.mark.parametrize("path", ["/api/resource", "/api/nothing", "/api/v3/method/ping"])
	def test_unknown_api_path(self, client: Client, path: str) -> None:
		answer = client.get(path)
		assert (answer.status_code, answer.json()["exc_type"]) == (404, "DoesNotExistError")

	@pytest.mark.parametrize(
		("path", "for_guest", "for_user"),
		[
			("/login", 200, 301),
			("/me", 403, 200),
			("/app", 301, 200),
			("/", 200, 200),
			("/nothing", 404, 404),
		],
	)
	def test_pages(self, client: Client, path: str, for_guest: int, for_user: int) -> None:
		def status() -> int:
			url = client.site.url + path
			return client.session.get(url, timeout=10, allow_redirects=False).status_code

		assert status() == for_user
		del client.session.headers["Authorization"]
		assert status() == for_guest

	def test_every_page_tells_the_sites_time_zone(self, client: Client, state: SiteState) -> None:
		state.user_time_zone = "Asia/Karachi"
		for path in ("/me", "/nothing"):
			_before, _, boot = client.get(path).text.partition("frappe.boot = ")
			zones, _end = json.JSONDecoder().raw_decode(boot)
			assert zones["time_zone"] == {"system": "Asia/Dubai", "user": "Asia/Karachi"}

	def test_options_and_head_of_a_method(self, client: Client) -> None:
		url = f"{client.site.url}/api/method/ping"
		options = client.session.options(url, timeout=10)
		assert (options.status_code, options.content) == (200, b"")
		assert client.session.head(url, timeout=10).status_code == 403

	def test_a_guests_cookies_come_with_every_answer(self, client: Client) -> None:
		for answer in (client.get("/api/method/ping"), client.punch(device_id="77777")):
			assert answer.cookies["sid"] == "Guest"
		assert client.get("/api/method/frappe.auth.get_logged_user").status_code == 200

	@pytest.mark.parametrize(("length", "status"), [(4000, 200), (4100, 400)])
	def test_a_request_line_has_its_bounds(self, client: Client, length: int, status: int) -> None:
		assert client.get("/api/method/ping", x="y" * length).status_code == status

	@pytest.mark.parametrize(
		("sent", "status"),
		[
			(b"nonsense\r\n\r\n", 400),
			(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
			(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
			(b"GET / HTTP/1.1\r\nX: " + b"y" * 8200 + b"\r\n\r\n", 431),
			(b"POST / HTTP/1.1\r\n\r\n", 411),
			(b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
			(b"POST / HTTP/1.1\r\nContent-Length: 26214401\r\n\r\n", 413),
			(b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
		],
	)
	def test_bad_requests_are_answered_and_cut_off(self, site: FrappeSite, sent: bytes, status: int) -> None:
		with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
			connection.sendall(sent)
			received = b""
			while piece := connection.recv(65536):
				received += piece
		assert received.startswith(f"HTTP/1.1 {status} ".encode())

	def test_counters(self, client: Client, state: SiteState) -> None:
		client.get("/api/method/ping")
		client.punch()
		client.punch()
		assert state.counters == {"requests": 3, "posts": 2, "accepted": 1}

	def test_stop_wakes_whoever_waits(self, state: SiteState) -> None:
		before = set(threading.enumerate())
		verbs.set_faults(state, "slow", every=1)
		state.slow_seconds = 60
		site = FrappeSite(state)
		site.start()
		with socket.create_connection(("127.0.0.1", site.port)) as connection:
			connection.sendall(b"GET /api/method/ping HTTP/1.1\r\n\r\n")
			deadline = time.monotonic() + 10
			while not state.counters["fault:slow"] and time.monotonic() < deadline:
				time.sleep(0.005)
			began = time.monotonic()
			site.stop()
		assert time.monotonic() - began < 2
		assert set(threading.enumerate()) <= before

	def test_start_again_on_the_same_port(self, state: SiteState) -> None:
		site = FrappeSite(state)
		for _ in range(2):
			with site:
				client = Client(site)
				assert client.get("/api/method/ping").status_code == 200
				client.session.close()


_JSON = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
	max_leaves=8,
)


class TestHostileInput:
	"""Whatever comes, one of the answers that a site has; a slip would end the connection without any."""

	@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
	@given(value=_JSON, timestamp=_JSON, log_type=_JSON, field=_JSON)
	def test_add_log(self, client: Client, value: Any, timestamp: Any, log_type: Any, field: Any) -> None:
		arguments = {"employee_field_value": value, "timestamp": timestamp, "log_type": log_type}
		for more in ({}, {"employee_fieldname": field}, {"device_id": field, "latitude": field}):
			answer = client.post(
				f"/api/method/{ADD_LOG}",
				data=json.dumps({**arguments, **more}),
				headers={"Content-Type": "application/json"},
			)
			assert answer.status_code in (200, 417, 500, 501)
		answer = client.post(CHECKIN, data=json.dumps(_document(time=timestamp, device_id=value)))
		assert answer.status_code in (200, 417, 500)

	@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
	@given(
		filters=_JSON,
		fields=_JSON,
		order_by=_JSON,
		limit=_JSON,
		column=st.sampled_from(["name", "time", "employee", "docstatus"]),
		operator=st.sampled_from(["=", "in", "not in", "between", ">", "like", "is", "!="]),
	)
	def test_get_list(
		self, client: Client, filters: Any, fields: Any, order_by: Any, limit: Any, column: str, operator: str
	) -> None:
		verbs.enter_checkin(client.site.state, "HR-EMP-00001", datetime(2026, 11, 5))
		for arguments in (
			{"filters": filters, "limit_start": limit},
			{"filters": [[column, operator, filters]]},
			{"fields": fields, "order_by": order_by, "limit_page_length": limit},
		):
			for doctype in ("Employee Checkin", filters):
				answer = client.post(
					"/api/method/frappe.client.get_list",
					data=json.dumps({"doctype": doctype, **arguments}),
					headers={"Content-Type": "application/json"},
				)
				assert answer.status_code in (200, 404, 417, 500, 501)

	def test_half_a_character_and_markup_in_a_page(self, client: Client) -> None:
		answer = client.post(
			"/api/method/frappe.client.get_list",
			{"doctype": "Employee", "filters": [["name", "timespan\ud800<b>", "x"]]},
		)
		assert answer.status_code == 501
		assert "timespan?&lt;b&gt;" in answer.text


class TestState:
	def test_from_workforce(self) -> None:
		workforce = build(people=30, days=2, seed=1, last_day=date(2026, 11, 5))
		state = SiteState.from_workforce(workforce, time_zone="Europe/Berlin", strict=True)
		assert (len(state.employees), state.time_zone, state.strict) == (30, "Europe/Berlin", True)
		worker = workforce.workers[0]
		employee = state.employees.find_by_device_id(worker.device_user_id)
		assert employee is not None
		assert (employee.name, employee.employee_name) == (worker.employee, worker.full_name)
		assert employee.default_shift == worker.shift

	def test_no_secret_in_the_repr(self) -> None:
		state = SiteState(api_secret="s3cret-s3cret")
		assert "s3cret" not in repr(state)

	def test_change_of_secret(self, client: Client, state: SiteState) -> None:
		verbs.change_secret(state, "another")
		assert client.punch().status_code == 401
		client.token(state.api_key, "another")
		assert client.punch().status_code == 200

	def test_status_and_device_id_can_change(self, client: Client, state: SiteState) -> None:
		verbs.set_status(state, "HR-EMP-00002", "Active")
		assert client.punch("007").status_code == 200
		verbs.set_device_id(state, "HR-EMP-00002", "0070")
		assert client.punch("007", timestamp="2026-11-05 11:00:00").status_code == 417
		assert client.punch("0070", timestamp="2026-11-05 11:00:00").status_code == 200


def _document(**more: Any) -> dict[str, Any]:
	return {"employee": "HR-EMP-00001", "time": TEN, **more}
