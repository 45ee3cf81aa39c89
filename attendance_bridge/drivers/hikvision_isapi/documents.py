"""The bodies of ISAPI answers: JSON objects and small flat XML documents, and the errors they report.

Whatever bytes come in, nothing but a document or a `DeviceError` comes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.redact import redact

_MAX_FIELDS = 500
_MAX_TAGS = 20_000
"""Opening and closing ones together; a tree takes hundreds of bytes for each."""
_MAX_MESSAGE = 200
_MAX_DIGITS = 18
_MANY_DIGITS = re.compile(f"[0-9]{{{_MAX_DIGITS}}}")

_GOOD_STATUS = {0, 1, 7}
"""`statusCode` of ResponseStatus: 1 is OK, 7 is done and waiting for a reboot, 0 is seen instead of 1."""
_BUSY_STATUS = 2
_DEVICE_FAULT_STATUS = 3
_BUSY = {"devicebusy", "servicebusy"}
_NOT_SUPPORTED = {"notsupport", "methodnotallowed", "badurlformat"}
_FORBIDDEN = {"lowprivilege", "nopermission", "insufficientpermissions"}


@dataclass(frozen=True, slots=True)
class XmlDocument:
	"""A flat XML document with its namespace taken off; of fields of one name, the first."""

	root: str
	namespace: str
	"""Empty if it has none. Two are in use: isapi.org and hikvision.com, each `ver20/XMLSchema`."""
	fields: Mapping[str, str]


Document = dict[str, Any] | XmlDocument
"""JSON object or XML. In JSON there are no floats: a fraction stays text, as do numbers beyond 18 digits."""


def read_document(body: bytes) -> Document:
	"""Tell JSON from XML and read it.

	:raises DeviceError: GARBAGE. Retryable if it is a damaged document, not if it is something else.
	"""
	text = body.decode("utf-8-sig", errors="replace").strip()
	if text.startswith("{"):
		return _read_json(text)
	if text.startswith("<") and not _is_html(text):
		return _read_xml(body)
	raise DeviceError(Code.GARBAGE, reason="neither JSON nor XML")


def _is_html(text: str) -> bool:
	return text[:256].lower().startswith(("<!doctype html", "<html"))


def _read_json(text: str) -> dict[str, Any]:
	# Only where a number may be too long is each looked at: in a page of events there are hundreds.
	parse_int = _whole_number if _MANY_DIGITS.search(text) else None
	try:
		loaded = json.loads(text, parse_int=parse_int, parse_float=str, parse_constant=lambda _name: None)
	except (ValueError, RecursionError):
		raise DeviceError(Code.GARBAGE, retryable=True, reason="damaged JSON") from None
	if not isinstance(loaded, dict):
		raise DeviceError(Code.GARBAGE, reason="not a JSON object")
	return loaded


def _whole_number(digits: str) -> int | str:
	return int(digits) if len(digits) <= _MAX_DIGITS else digits[:64]


def read_tree(body: bytes) -> Element:
	"""The root of an XML document, without entities and of a bounded size.

	:raises DeviceError: GARBAGE.
	"""
	if body.count(b"<") > _MAX_TAGS:
		raise DeviceError(Code.GARBAGE, reason="XML without end")
	try:
		root: Element = fromstring(body, forbid_dtd=True)
	except (ParseError, DefusedXmlException, ValueError, LookupError):
		raise DeviceError(Code.GARBAGE, retryable=True, reason="damaged XML") from None
	return root


def _read_xml(body: bytes) -> XmlDocument:
	root = read_tree(body)
	namespace, name = _split(root.tag)
	fields: dict[str, str] = {}
	for element in list(root)[:_MAX_FIELDS]:
		fields.setdefault(_split(str(element.tag))[1], (element.text or "").strip())
	return XmlDocument(name, namespace, fields)


def _split(tag: str) -> tuple[str, str]:
	namespace, _, name = tag.rpartition("}")
	return namespace.lstrip("{"), name


def fields_of(document: Document) -> Mapping[str, Any]:
	"""The fields of a flat document; of a JSON object with a single member, those of that member."""
	if isinstance(document, XmlDocument):
		return document.fields
	if len(document) == 1:
		(inner,) = document.values()
		if isinstance(inner, dict):
			return inner
	return document


def whole_number(value: object) -> int | None:
	"""A number that may come as one or as text; None for anything else and for negative ones."""
	if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
		return int(value)
	if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
		return value
	return None


def find_failure(document: Document, http_status: int) -> DeviceError | None:
	"""The error that a ResponseStatus reports; None if it reports success, or if there is none.

	Source: ResponseStatus{requestURL, statusCode, statusString, subStatusCode, errorCode, errorMsg} of the
	ISAPI guides; JSON carries the fields with or without the outer name.
	"""
	fields = fields_of(document)
	status = whole_number(fields.get("statusCode"))
	if status is None:
		return None
	if status in _GOOD_STATUS and http_status < 400:
		return None
	sub_status = _text(fields.get("subStatusCode"))
	code, retryable = _judge(status, sub_status.lower(), http_status)
	return DeviceError(
		code,
		retryable=retryable,
		status=http_status,
		status_code=status,
		sub_status=sub_status,
		message=redact(_text(fields.get("errorMsg")) or _text(fields.get("statusString"))),
	)


def _judge(status: int, sub_status: str, http_status: int) -> tuple[Code, bool]:
	if status == _BUSY_STATUS or sub_status in _BUSY:
		return Code.BUSY, True
	if sub_status in _NOT_SUPPORTED:
		return Code.NOT_SUPPORTED, False
	# A right that is missing is also told as 403 with the general "invalid operation".
	if sub_status in _FORBIDDEN or http_status == 403:
		return Code.FORBIDDEN, False
	return Code.DEVICE_ERROR, status == _DEVICE_FAULT_STATUS


def _text(value: object) -> str:
	if isinstance(value, (str, int)):
		return "".join(character for character in str(value) if character.isprintable())[:_MAX_MESSAGE]
	return ""


@dataclass(frozen=True, slots=True)
class LoginState:
	"""What `userCheck` says about the account; it comes with a 401 and needs no credentials."""

	locked: bool
	unlock_seconds: int | None
	attempts_left: int | None


def find_login_state(body: bytes) -> LoginState | None:
	"""`<lockStatus>`, `<unlockTime>` and `<retryLoginTime>` of a userCheck; None if the body is none."""
	try:
		fields = fields_of(read_document(body))
	except DeviceError:
		return None
	if not {"lockStatus", "retryLoginTime"} & set(fields):
		return None
	return LoginState(
		locked=str(fields.get("lockStatus", "")).lower() in ("lock", "locked"),
		unlock_seconds=whole_number(fields.get("unlockTime")),
		attempts_left=whole_number(fields.get("retryLoginTime")),
	)
