"""The calls that the terminal knows, and what it answers to a client that has authenticated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from attendance_bridge.simulators.hikvision import hosts, search
from attendance_bridge.simulators.hikvision import state as held
from attendance_bridge.simulators.hikvision.answers import (
	Answer,
	RefusedError,
	done,
	json_answer,
	refusal,
	xml_answer,
	xml_text,
)
from attendance_bridge.simulators.hikvision.clock import parse_zone
from attendance_bridge.simulators.hikvision.hosts import HttpHost
from attendance_bridge.simulators.hikvision.rows import ATTENDANCE_STATUS
from attendance_bridge.simulators.hikvision.state import HikvisionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
	method: str
	target: str
	"""Path and query as they stand in the request line."""
	body: bytes = b""

	@property
	def path(self) -> str:
		return self.target.partition("?")[0]

	@property
	def wants_json(self) -> bool:
		return parse_qs(self.target.partition("?")[2]).get("format") == ["json"]


def answer(state: HikvisionState, request: Request) -> Answer:
	"""Carry out a call; whatever is wrong with it comes back as ResponseStatus."""
	try:
		return _endpoint(request)(state, request)
	except RefusedError as error:
		return refusal(error, request.path, as_json=request.wants_json, namespace=state.namespace)


def user_check(state: HikvisionState, *, granted: bool) -> Answer:
	"""The userCheck document: also the body of every 401, where it tells about the lock-out."""
	if granted:
		fields: dict[str, object] = {"statusValue": 200, "statusString": "OK", "isActivated": True}
		return xml_answer("userCheck", fields, namespace=state.namespace)
	locked_seconds = state.locked_seconds
	fields = {
		"statusValue": 401,
		"statusString": "Unauthorized",
		"isActivated": True,
		"lockStatus": "lock" if locked_seconds else "unlock",
		"unlockTime": -int(-locked_seconds // 1),
		"retryLoginTime": 0 if locked_seconds else state.lockout.tries_left,
	}
	return xml_answer("userCheck", fields, namespace=state.namespace, status=401)


def _user_check(state: HikvisionState, _request: Request) -> Answer:
	return user_check(state, granted=True)


def _status(state: HikvisionState, _request: Request) -> Answer:
	fields = {"currentDeviceTime": state.time().isoformat(), "deviceUpTime": 86_400}
	return xml_answer("DeviceStatus", fields, namespace=state.namespace)


def _device_info(state: HikvisionState, _request: Request) -> Answer:
	fields = {
		"deviceName": state.name,
		"deviceID": "255",
		"model": held.MODEL,
		"serialNumber": state.serial,
		"macAddress": "02:00:5e:00:53:01",
		"firmwareVersion": held.FIRMWARE,
		"firmwareReleasedDate": held.FIRMWARE_RELEASED,
		"deviceType": "ACS",
		"localZoneNum": 1,
	}
	return xml_answer("DeviceInfo", fields, namespace=state.namespace)


def _get_time(state: HikvisionState, _request: Request) -> Answer:
	fields = {
		"timeMode": state.clock.mode,
		"localTime": state.time().isoformat(),
		"timeZone": state.clock.zone_text(),
	}
	return xml_answer("Time", fields, namespace=state.namespace)


def _set_time(state: HikvisionState, request: Request) -> Answer:
	fields = _xml_fields(request.body, "Time")
	mode = fields.get("timeMode")
	if mode is None:
		raise RefusedError("MessageParametersLack", "timeMode")
	if mode not in ("manual", "NTP"):
		raise RefusedError("badParameters", "timeMode")
	zone = _zone(state, fields.get("timeZone", ""))
	moment = _local_time(fields.get("localTime"), zone) if mode == "manual" else None
	state.clock.mode = mode
	state.clock.zone = zone
	if moment is not None:
		state.set_time(moment)
	return done(request.path, namespace=state.namespace)


def _zone(state: HikvisionState, text: str) -> tzinfo:
	"""The zone that `text` names; without any, the terminal stays in its own."""
	if text in ("", state.clock.zone_text()):
		return state.clock.zone
	try:
		return parse_zone(text)
	except ValueError:
		raise RefusedError("badParameters", "timeZone") from None


def _local_time(text: str | None, zone: tzinfo) -> datetime:
	if text is None:
		raise RefusedError("MessageParametersLack", "localTime")
	try:
		moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
	except ValueError:
		raise RefusedError("badParameters", "localTime") from None
	return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _xml_fields(body: bytes, root: str) -> dict[str, str]:
	"""The text of the elements right below the root, in whichever namespace."""
	try:
		document = fromstring(body)
	except (ParseError, DefusedXmlException, ValueError, LookupError):
		raise RefusedError("badXmlFormat") from None
	if _local(document.tag) != root:
		raise RefusedError("badXmlFormat")
	return {_local(element.tag): (element.text or "").strip() for element in document}


def _local(tag: str) -> str:
	return tag.rpartition("}")[2]


def _access_capabilities(state: HikvisionState, _request: Request) -> Answer:
	fields = {"isSupportUserInfo": True, "isSupportCardInfo": True, "isSupportAcsEvent": True}
	if "no-total" not in state.faults:
		fields["isSupportAcsEventTotalNum"] = True
	return xml_answer("AccessControl", fields, namespace=state.namespace)


def _event_capabilities(state: HikvisionState, _request: Request) -> Answer:
	condition: dict[str, Any] = {
		"searchID": {"@min": 1, "@max": search.MAX_SEARCH_ID},
		"searchResultPosition": {"@min": 0, "@max": search.MAX_POSITION},
		"maxResults": {"@min": 1, "@max": held.MAX_PAGE},
		"major": {"@opt": "0,1,2,3,5"},
		"minorException": {"@opt": "39,1024,1031,1033,1034,1064,1065"},
		"minorEvent": {"@opt": "1,6,7,8,9,21,22,23,24,25,26,38,39,49,51,75,76,101,104,151,156,181"},
		"startTime": {"@min": 1, "@max": search.MAX_TIME_TEXT},
		"endTime": {"@min": 1, "@max": search.MAX_TIME_TEXT},
		"employeeNoString": {"@min": 0, "@max": search.MAX_EMPLOYEE_NO},
		"timeReverseOrder": True,
	}
	if "no-serial-window" not in state.faults:
		condition["beginSerialNo"] = condition["endSerialNo"] = {"@min": 1, "@max": search.MAX_SERIAL_NO}
	rows = {
		"maxSize": held.MAX_PAGE,
		"attendanceStatus": {"@opt": ",".join(ATTENDANCE_STATUS.values())},
		"statusValue": {"@min": 0, "@max": 255},
	}
	return json_answer({"AcsEvent": {"AcsEventCond": condition, "InfoList": rows}})


def _events(state: HikvisionState, request: Request) -> Answer:
	state.suffer()
	condition = search.parse(request.body, "AcsEventCond")
	return json_answer({"AcsEvent": search.find_events(state, condition)})


def _total_number(state: HikvisionState, request: Request) -> Answer:
	if "no-total" in state.faults:
		raise RefusedError("notSupport")
	state.suffer()
	condition = search.parse(request.body, "AcsEventTotalNumCond")
	return json_answer({"AcsEventTotalNum": {"totalNum": search.total_number(state, condition)}})


def _people(state: HikvisionState, request: Request) -> Answer:
	condition = search.parse(request.body, "UserInfoSearchCond")
	return json_answer({"UserInfoSearch": search.find_people(state, condition)})


def _people_count(state: HikvisionState, _request: Request) -> Answer:
	people = state.people.values()
	counts = {
		"userNumber": len(people),
		"bindFaceUserNumber": len(people),
		"bindFingerprintUserNumber": 0,
		"bindCardUserNumber": sum(bool(person.card_no) for person in people),
	}
	return json_answer({"UserInfoCount": counts})


def _get_hosts(state: HikvisionState, request: Request) -> Answer:
	slot = _slot(request)
	if slot is None:
		return xml_text(hosts.show_all(state.hosts.values(), state.namespace))
	return xml_text(hosts.show(state.hosts[slot], state.namespace))


def _set_hosts(state: HikvisionState, request: Request) -> Answer:
	state.write_hosts(hosts.read(request.body, _slot(request), state.faults))
	return done(request.path, namespace=state.namespace)


def _clear_hosts(state: HikvisionState, request: Request) -> Answer:
	slot = _slot(request)
	state.write_hosts(hosts.empty(each) for each in (hosts.SLOTS if slot is None else (slot,)))
	return done(request.path, namespace=state.namespace)


def _host_capabilities(state: HikvisionState, _request: Request) -> Answer:
	return xml_text(hosts.show_capabilities(state.namespace, state.faults))


def _slot(request: Request) -> int | None:
	"""The slot that the path names; None if it means all of them."""
	last = request.path.rpartition("/")[2]
	return int(last) if last.isdecimal() else None


def host_to_test(state: HikvisionState, request: Request) -> HttpHost:
	"""Which listener a test is of: the one in the body, else the one in the slot.

	:raises RefusedError: this firmware knows no test, or the body is wrong.
	"""
	if request.method != "POST":
		raise RefusedError("methodNotAllowed")
	if "hosts-no-test" in state.faults:
		raise RefusedError("notSupport")
	slot = int(request.path.split("/")[-2])
	if b"HttpHostNotification" in request.body and b"portNo" in request.body:
		return hosts.read(request.body, slot, state.faults)[0]
	return state.hosts[slot]


def host_test_result(state: HikvisionState, description: str) -> Answer:
	fields = {"errorDescription": description or "ok"}
	return xml_answer("HttpHostTestResult", fields, namespace=state.namespace)


Endpoint = Callable[[HikvisionState, Request], Answer]

EVENTS_PATH = "/ISAPI/AccessControl/AcsEvent"
STREAM_PATH = "/ISAPI/Event/notification/alertStream"
HOSTS_PATH = "/ISAPI/Event/notification/httpHosts"
TEST_PATHS = frozenset(f"{HOSTS_PATH}/{slot}/test" for slot in hosts.SLOTS)
_HOST_METHODS: dict[str, Endpoint] = {"GET": _get_hosts, "PUT": _set_hosts, "DELETE": _clear_hosts}

_ENDPOINTS: dict[str, dict[str, Endpoint]] = {
	"/ISAPI/Security/userCheck": {"GET": _user_check},
	"/ISAPI/System/status": {"GET": _status},
	"/ISAPI/System/deviceInfo": {"GET": _device_info},
	"/ISAPI/System/time": {"GET": _get_time, "PUT": _set_time},
	"/ISAPI/AccessControl/capabilities": {"GET": _access_capabilities},
	"/ISAPI/AccessControl/AcsEvent/capabilities": {"GET": _event_capabilities},
	EVENTS_PATH: {"POST": _events},
	"/ISAPI/AccessControl/AcsEventTotalNum": {"POST": _total_number},
	"/ISAPI/AccessControl/UserInfo/Search": {"POST": _people},
	"/ISAPI/AccessControl/UserInfo/Count": {"GET": _people_count},
	HOSTS_PATH: _HOST_METHODS | {"POST": _set_hosts},
	f"{HOSTS_PATH}/capabilities": {"GET": _host_capabilities},
	**{f"{HOSTS_PATH}/{slot}": _HOST_METHODS for slot in hosts.SLOTS},
}
# These speak JSON only, and only if asked to.
_JSON_ONLY = ("/ISAPI/AccessControl/AcsEvent", "/ISAPI/AccessControl/UserInfo")


def _endpoint(request: Request) -> Endpoint:
	methods = _ENDPOINTS.get(request.path)
	if methods is None:
		raise RefusedError("notSupport")
	if request.method not in methods:
		raise RefusedError("methodNotAllowed")
	if request.path.startswith(_JSON_ONLY) and not request.wants_json:
		raise RefusedError("badXmlFormat")
	return methods[request.method]
