"""What the terminal's answers look like: JSON, XML, and ResponseStatus, its way to say no.

A call with `format=json` is refused in JSON, any other in XML. The codes are those of the error table of the
ISAPI guide; the HTTP status beside them is what DS-K1T terminals were seen to send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

NAMESPACE = "http://www.isapi.org/ver20/XMLSchema"
OLD_NAMESPACE = "http://www.hikvision.com/ver20/XMLSchema"

JSON = "application/json"
XML = "application/xml"

_STATUS_STRINGS = {1: "OK", 4: "Invalid Operation", 5: "Invalid Format", 6: "Invalid Content"}
# subStatusCode: (HTTP status, statusCode, errorCode)
_REFUSALS = {
	"notSupport": (404, 4, 0x40000001),
	"methodNotAllowed": (400, 4, 0x40000004),
	"badXmlFormat": (400, 5, 0x50000001),
	"badXmlContent": (400, 6, 0x60000002),
	# The number is not established.
	"deployExceedMax": (403, 4, 0x40000007),
	"badJsonFormat": (400, 5, 0x50000002),
	"badParameters": (400, 6, 0x60000001),
	"MessageParametersLack": (400, 6, 0x60000019),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
	status: int = 200
	content_type: str
	body: bytes


class RefusedError(Exception):
	"""The call is refused.

	:param sub_status: a key of the table of refusals, for example badParameters.
	:param message: errorMsg; the name of the field that is wrong or missing.
	"""

	def __init__(self, sub_status: str, message: str = "") -> None:
		super().__init__(sub_status)
		self.sub_status = sub_status
		self.message = message or sub_status


def json_answer(content: Mapping[str, Any], *, status: int = 200) -> Answer:
	body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
	# A lone surrogate in what a client sent must not keep its answer from leaving.
	return Answer(status=status, content_type=JSON, body=body.encode(errors="replace"))


def xml_text(document: str) -> Answer:
	"""A document that is there already, from its root on."""
	opening = '<?xml version="1.0" encoding="UTF-8"?>\n'
	return Answer(content_type=XML, body=f"{opening}{document}".encode())


def xml_answer(root: str, fields: Mapping[str, object], *, namespace: str, status: int = 200) -> Answer:
	"""A flat document: every value is text, a number or a truth value."""
	lines = "".join(f"<{name}>{escape(_xml_text(value))}</{name}>\n" for name, value in fields.items())
	opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} version="2.0" xmlns="{namespace}">\n'
	return Answer(status=status, content_type=XML, body=f"{opening}{lines}</{root}>\n".encode())


def _xml_text(value: object) -> str:
	return str(value).lower() if isinstance(value, bool) else str(value)


def done(path: str, *, namespace: str) -> Answer:
	"""ResponseStatus of a call that did what it was asked."""
	fields = {"requestURL": path, "statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
	return xml_answer("ResponseStatus", fields, namespace=namespace)


def refusal(error: RefusedError, path: str, *, as_json: bool, namespace: str) -> Answer:
	status, status_code, error_code = _REFUSALS[error.sub_status]
	fields: dict[str, object] = {
		"requestURL": path,
		"statusCode": status_code,
		"statusString": _STATUS_STRINGS[status_code],
		"subStatusCode": error.sub_status,
		"errorCode": error_code,
		"errorMsg": error.message,
	}
	if as_json:
		return json_answer(fields, status=status)
	return xml_answer("ResponseStatus", fields, namespace=namespace, status=status)
