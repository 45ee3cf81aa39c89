"""The exceptions of a Frappe site and the bodies they become.

Keys and their order follow `report_error` and `_make_logs_v1` of frappe v15: `exc` is JSON text of a list
with one traceback, `_server_messages` is JSON text of a list of JSON texts. Which of the keys are there
depends on how the exception was raised, and clients can only rely on the status and on `exc_type`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence

from attendance_bridge.simulators.frappe_site.wire import Answer, html_page

HRMS = "hrms (app)"
"""`_exc_source` when the traceback leads through HRMS."""

REQUIRED = "'employee_field_value' and 'timestamp' are required."
NO_EMPLOYEE = "No Employee found for the given employee field value. '{}': {}"
INACTIVE = "Transactions cannot be created for an Inactive Employee {}."
DUPLICATE = "This employee already has a log with the same timestamp.<Br>{}"
NOT_A_CHOICE = ' Log Type cannot be "{}". It should be one of "", "IN", "OUT"'
NO_COORDINATES = "Latitude and longitude values are required for checking in."
TOO_LONG = "{}: '{}' (140) will get truncated, as max characters allowed is 140"
MISSING_VALUE = "Error: Value missing for Employee Checkin: {}"
NO_SUCH_LINK = "Could not find Employee: {}"
NO_METHOD = "Failed to get method for command {} with {}"
NOT_PERMITTED = "Not permitted"
LOGIN_FIRST = "You are not permitted to access this resource. Login to access"
NO_PERMISSION = "No permission for {}"
NO_ROLE = (
	"User <strong>{}</strong> does not have doctype access via role permission for document"
	" <strong>{}</strong>"
)
NOT_FOUND = "{} {} not found"
BAD_FIELD = "Field not permitted in query: {}"
BAD_OPERATOR = "Operator must be one of {}"
NO_FIELD = "Field <strong>{}</strong> does not exist on <strong>{}</strong>"
BAD_ARGUMENTS = "Invalid request arguments"
BAD_TOKEN = "Failed to decode token, please provide a valid base64-encoded token."
TOO_MANY_DOCUMENTS = "Only 200 inserts allowed in one request"
_MESSAGE = "Message"

TRANSLATED: Mapping[str, str] = {
	REQUIRED: "'employee_field_value' und 'timestamp' sind erforderlich.",
	NO_EMPLOYEE: "Zum Feldwert wurde kein Mitarbeiter gefunden. '{}': {}",
	INACTIVE: "Für einen inaktiven Mitarbeiter {} können keine Vorgänge angelegt werden.",
	DUPLICATE: "Dieser Mitarbeiter hat bereits einen Eintrag mit demselben Zeitstempel.<Br>{}",
	NOT_A_CHOICE: ' Protokollart kann nicht "{}" sein. Erlaubt sind "", "IN", "OUT"',
	NO_COORDINATES: "Zum Einchecken sind Längen- und Breitengrad erforderlich.",
	TOO_LONG: "{}: '{}' (140) wird abgeschnitten, erlaubt sind höchstens 140 Zeichen",
	MISSING_VALUE: "Fehler: Wert fehlt für Mitarbeiter-Check-in: {}",
	NO_SUCH_LINK: "Nicht gefunden: Mitarbeiter: {}",
	NO_METHOD: "Methode für den Befehl {} nicht gefunden: {}",
	NOT_PERMITTED: "Nicht erlaubt",
	LOGIN_FIRST: "Sie dürfen auf diese Ressource nicht zugreifen. Bitte anmelden",
	NO_PERMISSION: "Keine Berechtigung für {}",
	NO_ROLE: "Benutzer <strong>{}</strong> hat keine Rolle mit Zugriff auf <strong>{}</strong>",
	NOT_FOUND: "{} {} nicht gefunden",
	BAD_FIELD: "Feld in der Abfrage nicht erlaubt: {}",
	BAD_OPERATOR: "Der Operator muss einer von {} sein",
	NO_FIELD: "Feld <strong>{}</strong> gibt es nicht in <strong>{}</strong>",
	BAD_ARGUMENTS: "Ungültige Argumente",
	BAD_TOKEN: "Das Token ist nicht base64-kodiert.",
	TOO_MANY_DOCUMENTS: "Nur 200 Einfügungen je Anfrage erlaubt",
	_MESSAGE: "Nachricht",
}
"""English template → another language, for the fault `translated`."""


class SiteError(Exception):
	"""An exception that the site's code would raise.

	:param exc_type: bare name of the class, as in the body.
	:param template: text with `{}` for each of `values`; translated when the site speaks another language.
	:param module: where the class lives; empty for Python's own.
	:param source: `_exc_source`.
	:param thrown: raised with `frappe.throw`, which puts its text into `_server_messages` too.
	:param messages: further (template, values) in `_server_messages`, from `frappe.msgprint`.
	:param hint: (template, values) of `_error_message`.
	:param traceback: False where frappe keeps the traceback to itself.
	"""

	def __init__(
		self,
		status: int,
		exc_type: str,
		template: str = "",
		*values: object,
		module: str = "frappe.exceptions",
		source: str = "",
		thrown: bool = False,
		messages: Sequence[tuple[str, tuple[object, ...]]] = (),
		hint: tuple[str, tuple[object, ...]] | None = None,
		traceback: bool = True,
	) -> None:
		super().__init__(exc_type)
		self.status = status
		self.exc_type = exc_type
		self.template = template
		self.values = values
		self.module = module
		self.source = source
		self.thrown = thrown
		self.messages = messages
		self.hint = hint
		self.traceback = traceback

	def body(self, *, translated: bool) -> dict[str, object]:
		"""The JSON object that the site answers with."""
		found: dict[str, object] = {}
		# A document that is not there is nothing to debug: frappe leaves the traceback of a 404 out.
		with_traceback = self.traceback and self.status != 404
		exception = self._exception_line(translated)
		if with_traceback:
			found["exception"] = exception
		found["exc_type"] = self.exc_type
		if with_traceback:
			if self.source:
				found["_exc_source"] = self.source
			found["exc"] = json.dumps([self._traceback_text(exception)])
		messages = self._message_texts(translated)
		if messages:
			found["_server_messages"] = json.dumps([json.dumps(message) for message in messages])
		if self.hint is not None:
			found["_error_message"] = _say(*self.hint, translated=translated)
		return found

	def _exception_line(self, translated: bool) -> str:
		qualified = f"{self.module}.{self.exc_type}" if self.module else self.exc_type
		text = _say(self.template, self.values, translated=translated)
		return f"{qualified}: {text}" if text else qualified

	def _traceback_text(self, exception: str) -> str:
		through_hrms = (
			'  File "apps/hrms/hrms/hr/doctype/employee_checkin/employee_checkin.py", line 151, in validate\n'
			if self.source == HRMS
			else ""
		)
		return (
			"Traceback (most recent call last):\n"
			'  File "apps/frappe/frappe/app.py", line 121, in application\n'
			f"    response = frappe.api.handle(request)\n{through_hrms}{exception}\n"
		)

	def _message_texts(self, translated: bool) -> list[dict[str, object]]:
		title = _say(_MESSAGE, (), translated=translated)
		texts: list[dict[str, object]] = [
			{"message": _say(template, values, translated=translated), "title": title}
			for template, values in self.messages
		]
		if self.thrown:
			texts.append(
				{
					"message": _say(self.template, self.values, translated=translated),
					"title": title,
					"indicator": "red",
					"raise_exception": 1,
					"__frappe_exc_id": secrets.token_hex(5),
				}
			)
		return texts


def _say(template: str, values: Sequence[object], *, translated: bool) -> str:
	chosen = TRANSLATED.get(template, template) if translated else template
	return chosen.format(*values) if values else chosen


def thrown(
	template: str,
	*values: object,
	exc_type: str = "ValidationError",
	status: int = 417,
	module: str = "frappe.exceptions",
	source: str = "",
) -> SiteError:
	"""What `frappe.throw` raises."""
	return SiteError(status, exc_type, template, *values, module=module, source=source, thrown=True)


def crashed(exc_type: str, text: str, *, module: str = "", source: str = "") -> SiteError:
	"""An exception that nobody foresaw: 500, and no message for the user."""
	return SiteError(500, exc_type, "{}", text, module=module, source=source)


def unauthenticated() -> SiteError:
	"""Credentials were given and are wrong."""
	return SiteError(401, "AuthenticationError")


def no_role(user: str, doctype: str, *, traceback: bool) -> SiteError:
	"""The user's roles give no right to the document type.

	:param traceback: False where the check came from `Document.check_permission`, which hides it.
	"""
	return SiteError(
		403,
		"PermissionError",
		messages=((NO_ROLE, (user, doctype)),),
		hint=(NO_PERMISSION, (doctype,)),
		traceback=traceback,
	)


class NotPlayedError(Exception):
	"""A real site would do this; the simulator says so instead of pretending."""


def error_answer(error: SiteError, *, as_json: bool, translated: bool) -> Answer:
	"""What goes over the wire for an exception.

	:param as_json: False for a client that prefers text: it gets a page, as a browser does.
	"""
	if not as_json:
		return html_page(error.status)
	body = json.dumps(error.body(translated=translated), separators=(",", ":"))
	return Answer(status=error.status, body=body.encode())
