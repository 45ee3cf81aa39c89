"""From a request to an answer: arguments, authentication, routes.

After `frappe/app.py`, `frappe/auth.py` and `frappe/api/v1.py` of v15.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from attendance_bridge.simulators.frappe_site import agent_api, errors, methods
from attendance_bridge.simulators.frappe_site.bridge import Bridge
from attendance_bridge.simulators.frappe_site.collation import fold
from attendance_bridge.simulators.frappe_site.doctypes import EMPLOYEE_CHECKIN
from attendance_bridge.simulators.frappe_site.documents import Documents, as_document
from attendance_bridge.simulators.frappe_site.errors import (
	NotPlayedError,
	SiteError,
	error_answer,
	thrown,
	unauthenticated,
)
from attendance_bridge.simulators.frappe_site.pages import page
from attendance_bridge.simulators.frappe_site.query import load_json
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.wire import Answer, Request, html_page

Pause = Callable[[float], None]
"""Wait so many seconds; 0 lets other threads run."""

_COMMITTING = frozenset({"POST", "PUT", "DELETE", "PATCH"})
_FORM = "application/x-www-form-urlencoded"
_COOKIES = (
	("Set-Cookie", "sid=Guest; Max-Age=612000; HttpOnly; Path=/; SameSite=Lax"),
	("Set-Cookie", "system_user=no; Path=/; SameSite=Lax"),
	("Set-Cookie", "full_name=Guest; Path=/; SameSite=Lax"),
	("Set-Cookie", "user_id=Guest; Path=/; SameSite=Lax"),
	("Set-Cookie", "user_image=; Path=/; SameSite=Lax"),
)
"""With every answer, to users with a token as well: a guest's session, which is not theirs."""


class Application:
	"""The site behind its proxy.

	:param pause: how to wait; the server's, so that it can end while somebody waits.
	:param bridge: this app, if it is installed there.
	"""

	def __init__(self, state: SiteState, pause: Pause, bridge: Bridge | None = None) -> None:
		self._state = state
		self._bridge = bridge
		self._pause = pause
		self._workers = threading.BoundedSemaphore(state.workers)

	def answer(self, request: Request) -> Answer:
		"""Never raises but for a mistake in the simulator."""
		if request.method != "POST" or not self._state.service_seconds:
			return self._answer(request)
		with self._workers:
			return self._answer(request)

	def _answer(self, request: Request) -> Answer:
		if not self._is_our_host(request):
			return html_page(404, f"{request.headers.get('host', '')} does not exist")
		answer = self._served_or_refused(request)
		return replace(answer, headers=(*answer.headers, *_COOKIES))

	def _served_or_refused(self, request: Request) -> Answer:
		try:
			return self._serve(request)
		except NotPlayedError as refusal:
			return html_page(501, f"The simulator does not play this: {refusal}")
		except SiteError as error:
			if request.method == "POST" and self._state.service_seconds:
				self._window()
			return error_answer(
				error, as_json=_wants_json(request), translated="translated" in self._state.faults
			)

	def _serve(self, request: Request) -> Answer:
		form = _arguments(request)
		user = self._authenticate(request.headers.get("authorization", ""))
		documents = Documents(
			state=self._state,
			user=user,
			window=self._window,
			commits=request.method in _COMMITTING,
			origin=f"http://{request.headers.get('host', '')}",
		)
		if request.method == "OPTIONS":
			return Answer(status=200, body=b"", content_type="text/plain; charset=utf-8")
		path = unquote(request.path)
		if path.startswith("/api/"):
			name = path.rpartition("/")[2]
			if self._bridge is not None and agent_api.is_known(name):
				found = agent_api.call(self._bridge, name, request.method, user, form)
				return _json("message", found)
			return _serve_api(path, request, form, documents)
		return page(path, documents)

	def _window(self) -> None:
		self._pause(self._state.service_seconds)

	def _is_our_host(self, request: Request) -> bool:
		wanted = self._state.host_name
		given = request.headers.get("x-frappe-site-name") or request.headers.get("host", "").partition(":")[0]
		return not wanted or given == wanted

	def _authenticate(self, header: str) -> str:
		"""The user of the request, or Guest without credentials.

		:raises SiteError: there are credentials, and they are not valid.
		"""
		words = header.split(" ")
		if len(words) != 2:
			return "Guest"
		if "token-expired" in self._state.faults:
			raise unauthenticated()
		key, _, secret = _credentials(*words).partition(":")
		# The key is looked up in the database, the secret is not.
		known = {fold(self._state.api_key): (self._state.api_secret, self._state.user)}
		known |= {fold(each): facts for each, facts in self._state.other_keys.items()}
		wanted, user = known.get(fold(key), ("", ""))
		if not user or secret != wanted:
			raise unauthenticated()
		return user


def _credentials(scheme: str, value: str) -> str:
	if scheme.lower() == "token":
		return value
	if scheme.lower() != "basic":
		return ""
	try:
		return base64.b64decode(value).decode("utf-8", "replace")
	except (binascii.Error, ValueError):
		raise thrown(
			errors.BAD_TOKEN,
			exc_type="InvalidAuthorizationToken",
			status=400,
		) from None


def _arguments(request: Request) -> dict[str, Any]:
	"""The arguments by name: of a JSON body, else of the query and a form body, the latter winning.

	:raises SiteError: JSON that is none, or that is neither an object nor a list.
	"""
	content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
	if request.body and (content_type == "application/json" or content_type.endswith("+json")):
		given = load_json(request.body.decode("utf-8", "replace"))
		if isinstance(given, list):
			return {"data": given}
		if not isinstance(given, dict):
			raise thrown(errors.BAD_ARGUMENTS)
		return given
	if content_type == "multipart/form-data":
		raise NotPlayedError("a form in several parts")
	found = parse_qsl(request.query, keep_blank_values=True)
	if request.body and content_type == _FORM:
		found += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
	arguments: dict[str, Any] = dict(found)
	arguments.pop("_", None)
	return arguments


def _serve_api(path: str, request: Request, form: dict[str, Any], documents: Documents) -> Answer:
	if path.startswith("/api/v2/"):
		raise NotPlayedError("version 2 of the API")
	rest = path[len("/api/") :].removeprefix("v1/")
	area, _, rest = rest.partition("/")
	if area == "method" and rest:
		found = methods.call(rest.partition("/")[0], request.method, documents, form)
		return _json("message", found)
	if area == "resource" and rest:
		doctype, _, name = rest.partition("/")
		if not doctype:
			raise SiteError(404, "DoesNotExistError")
		return _serve_resource(doctype, name.rstrip("/"), request, form, documents)
	raise SiteError(404, "DoesNotExistError")


def _serve_resource(
	doctype: str, name: str, request: Request, form: dict[str, Any], documents: Documents
) -> Answer:
	if name:
		if request.method not in ("GET", "HEAD") or "run_method" in form:
			raise NotPlayedError(f"{request.method} of a document")
		return _json("data", documents.get(doctype, name))
	if request.method in ("GET", "HEAD"):
		return _json("data", documents.listing(doctype, _list_arguments(form)))
	if request.method != "POST":
		return html_page(405, "The method is not allowed for the requested URL.")
	if documents.doctype_of_document(doctype) is not EMPLOYEE_CHECKIN:
		raise NotPlayedError("creating anything but Employee Checkin")
	(row,) = documents.insert([_document_of(request, form)], named=True)
	return _json("data", as_document(EMPLOYEE_CHECKIN, row))


def _list_arguments(form: dict[str, Any]) -> dict[str, Any]:
	if isinstance(form.get("fields"), str) and form["fields"]:
		# Only here, and not in frappe.client.get_list, the bare * is no JSON.
		form["fields"] = load_json(form["fields"])
	form.setdefault("limit_page_length", form.get("limit") or 20)
	return form


def _document_of(request: Request, form: dict[str, Any]) -> dict[str, Any]:
	data = form.get("data", request.body.decode("utf-8", "replace"))
	if isinstance(data, str):
		try:
			data = json.loads(data)
		except (ValueError, RecursionError):
			data = form
	if not isinstance(data, dict):
		raise errors.crashed("TypeError", "pop expected at most 1 argument, got 2")
	return data


def _json(key: str, value: object) -> Answer:
	body = {} if value is None else {key: value}
	return Answer(status=200, body=json.dumps(body, separators=(",", ":")).encode())


def _wants_json(request: Request) -> bool:
	accepted = request.headers.get("accept", "")
	if "application/json" in accepted:
		return True
	return request.path.startswith("/api/") and not accepted.startswith("text")
