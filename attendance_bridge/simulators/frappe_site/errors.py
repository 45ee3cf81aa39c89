"""The exceptions of a Frappe site and the bodies they become.

Keys and their order follow `report_error` and `_make_logs_v1` of frappe v15: `exc` is JSON text of a list
with one traceback, `_server_messages` is JSON text of a list of JSON texts. Which of the keys are there
depends on how the exception was raised, and clients can only rely on the status and on `exc_type`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attendance_bridge.simulators.frappe_site.wire import Answer, html_page

HRMS = "hrms (app)"
"""`_exc_source` when the traceback leads through HRMS."""

REQUIRED = "'employee_field_value' and 'timestamp' are required."
NO_EMPLOYEE = "No Employee found for the given employee field value. '{}': {}"
INACTIVE = "Transactions cannot be created for an Inactive Employee {}."
DUPLICATE = "This employee already has a log with the same timestamp.<Br>{}"
NOT_A_CHOICE = ' Log Type cannot be "{}". It should be one of "", "IN", "OUT"'
NO_LIST = "Value for {} cannot be a list"
NO_COORDINATES = "Latitude and longitude values are required for checking in."
TOO_LONG = "{}: '{}' ({}) will get truncated, as max characters allowed is 140"
TOO_BIG = "Value too big"
"""The title above TOO_LONG."""
MISSING_VALUE = "Error: Value missing for Employee Checkin: {}"
NO_SUCH_LINK = "Could not find Employee: {}"
NO_METHOD = "Failed to get method for command {} with {}"
NOT_PERMITTED = "Not permitted"
LOGIN_FIRST = (
	"<details><summary>You are not permitted to access this resource. Login to access</summary>"
	"Function <strong>{}</strong> is not whitelisted.</details>"
)
NOT_ALLOWED = "Method Not Allowed"
"""The title above LOGIN_FIRST."""
APP_MISSING = "App {} is not installed"
NO_PERMISSION = "No permission for {}"
NO_ROLE = (
	"User <strong>{}</strong> does not have doctype access via role permission for document"
	" <strong>{}</strong>"
)
NO_ACCESS = (
	"User <strong>{}</strong> does not have doctype access via role permission for document"
	" <strong>{}</strong><br>User <strong>{}</strong> does not have access to this document"
)
HIDDEN = "You are not allowed to access this Employee Checkin record because it is linked to Employee '{}'"
NEED_CREATE = "You need the 'create' permission on <strong>Employee Checkin</strong>  to perform this action."
NOT_FOUND = "{} {} not found"
EXISTS = "{} <strong>{}</strong> already exists"
SAME_NAME = "Duplicate Name"
"""The title above EXISTS."""
BAD_FIELD = "Field not permitted in query: {}"
BAD_FILTER = "Invalid filter: {}"
BAD_TYPE = "Argument '{}' should be of type 'str' but got '{}' instead."
BAD_DATE = "<strong>{}</strong> is not a valid date string."
BAD_DATE_TITLE = "Invalid Date"
BAD_ORDER = "Illegal SQL Query"
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
	NO_LIST: "Der Wert für {} darf keine Liste sein",
	NO_COORDINATES: "Zum Einchecken sind Längen- und Breitengrad erforderlich.",
	TOO_LONG: "{}: '{}' ({}) wird abgeschnitten, erlaubt sind höchstens 140 Zeichen",
	TOO_BIG: "Wert zu groß",
	MISSING_VALUE: "Fehler: Wert fehlt für Mitarbeiter-Check-in: {}",
	NO_SUCH_LINK: "Nicht gefunden: Mitarbeiter: {}",
	NO_METHOD: "Methode für den Befehl {} nicht gefunden: {}",
	NOT_PERMITTED: "Nicht erlaubt",
	LOGIN_FIRST: (
		"<details><summary>Sie dürfen auf diese Ressource nicht zugreifen. Bitte anmelden</summary>"
		"Die Funktion <strong>{}</strong> ist nicht freigegeben.</details>"
	),
	NOT_ALLOWED: "Methode nicht erlaubt",
	APP_MISSING: "Die App {} ist nicht installiert",
	NO_PERMISSION: "Keine Berechtigung für {}",
	NO_ROLE: "Benutzer <strong>{}</strong> hat keine Rolle mit Zugriff auf <strong>{}</strong>",
	NO_ACCESS: (
		"Benutzer <strong>{}</strong> hat keine Rolle mit Zugriff auf <strong>{}</strong>"
		"<br>Benutzer <strong>{}</strong> hat keinen Zugriff auf dieses Dokument"
	),
	HIDDEN: "Dieser Mitarbeiter-Check-in ist mit dem Mitarbeiter '{}' verknüpft; Sie haben keinen Zugriff",
	NEED_CREATE: "Dafür brauchen Sie das Recht zum Anlegen von Mitarbeiter-Check-ins.",
	NOT_FOUND: "{} {} nicht gefunden",
	EXISTS: "{} <strong>{}</strong> gibt es schon",
	SAME_NAME: "Name doppelt",
	BAD_FIELD: "Feld in der Abfrage nicht erlaubt: {}",
	BAD_FILTER: "Ungültiger Filter: {}",
	BAD_TYPE: "Das Argument '{}' muss 'str' sein, nicht '{}'.",
	BAD_DATE: "<strong>{}</strong> ist kein gültiges Datum.",
	BAD_DATE_TITLE: "Ungültiges Datum",
	BAD_ORDER: "Unzulässige SQL-Abfrage",
	BAD_OPERATOR: "Der Operator muss einer von {} sein",
	NO_FIELD: "Feld <strong>{}</strong> gibt es nicht in <strong>{}</strong>",
	BAD_ARGUMENTS: "Ungültige Argumente",
	BAD_TOKEN: "Das Token ist nicht base64-kodiert.",
	TOO_MANY_DOCUMENTS: "Nur 200 Einfügungen je Anfrage erlaubt",
	_MESSAGE: "Nachricht",
}
"""English template → another language, for the fault `translated`."""


@dataclass(frozen=True, slots=True)
class Said:
	"""One entry of `_server_messages`: text for the person at the screen."""

	template: str
	values: tuple[object, ...] = ()
	title: str = _MESSAGE
	indicator: str = ""
	raises: bool = False
	"""Whether it is the text of the exception, from `frappe.throw`."""

	def as_json(self, *, translated: bool) -> dict[str, object]:
		found: dict[str, object] = {
			"message": _say(self.template, self.values, translated=translated),
			"title": _say(self.title, (), translated=translated),
		}
		if self.indicator:
			found["indicator"] = self.indicator
		if self.raises:
			found |= {"raise_exception": 1, "__frappe_exc_id": secrets.token_hex(28)}
		return found


class SiteError(Exception):
	"""An exception that the site's code would raise.

	:param exc_type: bare name of the class, as in the body.
	:param template: text with `{}` for each of `values`; translated when the site speaks another language.
	:param module: where the class lives; empty for Python's own.
	:param source: `_exc_source`.
	:param messages: `_server_messages`.
	:param hint: (template, values) of `_error_message`.
	:param debug: texts of `_debug_messages`.
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
		messages: Sequence[Said] = (),
		hint: tuple[str, tuple[object, ...]] | None = None,
		debug: Sequence[str] = (),
		traceback: bool = True,
	) -> None:
		super().__init__(exc_type)
		self.status = status
		self.exc_type = exc_type
		self.template = template
		self.values = values
		self.module = module
		self.source = source
		self.messages = messages
		self.hint = hint
		self.debug = debug
		self.traceback = traceback

	def body(self, *, translated: bool) -> dict[str, object]:
		"""The JSON object that the site answers with."""
		found: dict[str, object] = {}
		# A document that is not there is nothing to debug: frappe leaves the traceback of a 404 out.
		with_traceback = self.traceback and self.status != 404
		exception = self._exception(translated)
		if with_traceback:
			# The last line of the traceback, even where the text of the exception has several.
			found["exception"] = exception.splitlines()[-1]
		found["exc_type"] = self.exc_type
		if with_traceback:
			if self.source:
				found["_exc_source"] = self.source
			found["exc"] = json.dumps([self._traceback_text(exception)])
		if self.messages:
			said = [json.dumps(each.as_json(translated=translated)) for each in self.messages]
			found["_server_messages"] = json.dumps(said)
		if self.debug:
			found["_debug_messages"] = json.dumps(list(self.debug))
		if self.hint is not None:
			found["_error_message"] = _say(*self.hint, translated=translated)
		return found

	def _exception(self, translated: bool) -> str:
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
	title: str = _MESSAGE,
	before: Sequence[Said] = (),
) -> SiteError:
	"""What `frappe.throw` raises: its text is a message, too.

	:param before: messages of exceptions that were caught on the way here.
	"""
	messages = (*before, Said(template, values, title=title, indicator="red", raises=True))
	return SiteError(status, exc_type, template, *values, module=module, source=source, messages=messages)


def crashed(exc_type: str, text: str, *, module: str = "", source: str = "") -> SiteError:
	"""An exception that nobody foresaw: 500, and no message for the user."""
	return SiteError(500, exc_type, "{}", text, module=module, source=source)


def bad_sql(near: str) -> SiteError:
	"""A statement that the database cannot read, with what follows the place where it gave up."""
	text = (
		'(1064, "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB '
		f"server version for the right syntax to use near '{near}' at line 5\")"
	)
	return SiteError(
		500, "ProgrammingError", "{}", text, module="pymysql.err", debug=["Syntax error in query:\nselect …"]
	)


def unknown_column(column: str, clause: str) -> SiteError:
	"""
	:param clause: SELECT, WHERE or ORDER BY.
	"""
	text = f"(1054, \"Unknown column '{column}' in '{clause}'\")"
	return crashed("OperationalError", text, module="pymysql.err")


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
		messages=(Said(NO_ROLE, (user, doctype)),),
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
