"""Stands before every view: whose host, who asks, how often, whether they may, and whether they meant to.

Denied by default: a view that says neither `@needs(…)` nor `@public` is refused to everybody.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException
from werkzeug.wrappers import Response as BaseResponse

from attendance_bridge.edge.web.access.access import Access, TooManyError
from attendance_bridge.edge.web.access.scopes import Caller, Scope
from attendance_bridge.edge.web.answers import error_answer
from attendance_bridge.edge.web.crowd import is_of_this_machine
from attendance_bridge.edge.web.problems import problem

LOGIN_COOKIE = "attendance_bridge_login"
BROWSER_COOKIE = "attendance_bridge_browser"
"""For forms of somebody who is not logged in: the login itself, and the kiosk."""
TOKEN_FIELD = "csrf_token"
TOKEN_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_BROWSER_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(?::\d*)?")
"""A Host header: a name, or an IPv6 address in brackets, and perhaps a port."""

View = TypeVar("View", bound=Callable[..., Any])


def needs(*scopes: Scope) -> Callable[[View], View]:
	"""Let a view be used by whoever has one of these scopes. Put it below the route."""
	if not scopes:
		raise ValueError("which scopes?")

	def mark(view: View) -> View:
		view.needed_scopes = frozenset(scopes)  # type: ignore[attr-defined]
		return view

	return mark


def public(view: View) -> View:
	"""Let everybody use a view."""
	view.needed_scopes = frozenset()  # type: ignore[attr-defined]
	return view


def needed_scopes(view: Callable[..., Any] | None) -> frozenset[Scope] | None:
	"""Empty for a public view; None for one that nobody may use."""
	found = getattr(view, "needed_scopes", None)
	return found if isinstance(found, frozenset) else None


def caller() -> Caller:
	"""Who asks, within a request."""
	found: Caller = g.caller
	return found


def standing() -> Callable[[], bool]:
	"""What tells, also after the request, whether whoever made it still may: logins end, keys and accounts
	are taken away. May raise `StoreError`."""
	asking, access = caller(), g.access
	needed = needed_scopes(current_app.view_functions.get(request.endpoint or "")) or frozenset()
	token = request.cookies.get(LOGIN_COOKIE, "")
	key = (request.authorization.token if request.authorization else None) or ""

	def still_may() -> bool:
		if not (asking.has_key or asking.has_login):
			return True
		try:
			show = (access.by_key, key) if asking.has_key else (access.by_token, token)
			found: Caller | None = show[0](show[1], asking.address)
		except TooManyError:  # others try keys from this address; that says nothing about this one
			return True
		return found is not None and found.who == asking.who and (not needed or found.may(*needed))

	return still_may


def install(app: Flask, access: Access, trusted_hosts: Collection[str]) -> None:
	"""Put the guard before an app."""

	@app.before_request
	def guard() -> BaseResponse | None:
		# Not Flask's TRUSTED_HOSTS: it takes no IPv6 address, and before Flask 3.1 it does nothing.
		if _host_name(request.environ.get("HTTP_HOST", "")) not in trusted_hosts:
			g.caller = Caller()
			return error_answer(400, "other_host")
		g.access = access
		refused = _identify(access)
		# Whether there is such a page, and such a method, is no secret.
		if refused is not None or request.routing_exception is not None:
			return refused
		return _refusal(access)

	@app.after_request
	def give_browser_token(response: Response) -> Response:
		if "new_browser_token" in g:
			set_cookie(response, BROWSER_COOKIE, g.new_browser_token)
		return response

	app.jinja_env.globals["csrf_token"] = csrf_token
	app.jinja_env.globals["caller"] = caller
	app.jinja_env.globals["may"] = _may


def _may(*names: str) -> bool:
	return caller().may(*map(Scope, names))


def _refusal(access: Access) -> BaseResponse | None:
	asking = caller()
	if request.endpoint == "static":
		return None
	needed = needed_scopes(current_app.view_functions.get(request.endpoint or ""))
	if needed is None:
		return error_answer(403, "forbidden")
	if not access.count_call(asking):
		return problem(429, "rate_limited", headers={"Retry-After": "10"})
	if needed and not asking.may(*needed):
		return _not_allowed(asking, needed)
	if request.method not in _SAFE and not asking.has_key and not _was_meant():
		return problem(400, "csrf")
	return None


def _not_allowed(asking: Caller, needed: frozenset[Scope]) -> BaseResponse:
	if asking.who:
		return problem(403, "forbidden", needs=sorted(scope.value for scope in needed))
	if "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/"):
		if request.method == "GET":
			back = request.full_path.rstrip("?")
			return redirect(url_for("session.show_login", next=back if back != "/" else None))
		if request.mimetype in _OF_FORMS:  # their login ended while they filled it in
			return redirect(url_for("session.show_login", next=_page_of_form(), over=1), 303)
	return error_answer(401, "login_required", headers={"WWW-Authenticate": 'Bearer realm="agent"'})


def _page_of_form() -> str | None:
	"""The page that a form was sent from, if it is one of ours that can be looked at."""
	came_from = urlsplit(request.referrer or "")
	if came_from.netloc.lower() != request.host.lower():
		return None
	try:
		current_app.url_map.bind("").match(came_from.path, method="GET")
	except (HTTPException, RoutingException):
		return None
	return came_from.path + (f"?{came_from.query}" if came_from.query else "")


def _identify(access: Access) -> BaseResponse | None:
	"""Find out who asks; an answer if what they show is refused."""
	address = request.remote_addr or ""
	is_here = _is_here(address)
	g.caller = Caller(address=address, is_here=is_here)
	try:
		authorization = request.authorization
		if authorization is not None or "Authorization" in request.headers:
			key = authorization.token if authorization and authorization.type == "bearer" else None
			found = access.by_key(key, address) if key else None
			if found is None:
				return error_answer(401, "wrong_key", headers={"WWW-Authenticate": 'Bearer realm="agent"'})
			g.caller = replace(found, is_here=is_here)
			return None
	except TooManyError:
		return error_answer(429, "rate_limited", headers={"Retry-After": "60"})
	token = request.cookies.get(LOGIN_COOKIE, "")
	found = access.by_token(token, address) if token else None
	if found is not None:
		g.caller = replace(found, is_here=is_here)
	elif is_here:
		g.caller = replace(g.caller, scopes=frozenset({Scope.KIOSK}))
	return None


def _is_here(address: str) -> bool:
	"""Whether the call comes from this machine itself, and not through a proxy on it."""
	if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP")):
		return False
	return is_of_this_machine(address)


def csrf_token() -> str:
	"""What a form or a call of this browser must carry along; made from its cookie, which no script sees."""
	if caller().has_login:
		return _derived(request.cookies[LOGIN_COOKIE])
	token = request.cookies.get(BROWSER_COOKIE, "")
	if not _BROWSER_TOKEN.fullmatch(token):
		token = g.setdefault("new_browser_token", secrets.token_urlsafe(32))
	return _derived(token)


def _was_meant() -> bool:
	"""Whether a page of ours sent this: it knows the token, and the browser does not say otherwise."""
	origin = request.headers.get("Origin")
	if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
		return False
	if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
		return False
	cookie = request.cookies.get(LOGIN_COOKIE if caller().has_login else BROWSER_COOKIE, "")
	# A page that does not use forms must not be made to read one out of a large body.
	given = request.headers.get(TOKEN_HEADER) or (
		request.form.get(TOKEN_FIELD, "") if request.mimetype != "application/json" else ""
	)
	return bool(cookie) and hmac.compare_digest(_derived(cookie).encode(), given.encode())


def _derived(token: str) -> str:
	return hmac.new(token.encode(), b"attendance_bridge csrf 1", hashlib.sha256).hexdigest()


def set_cookie(response: BaseResponse, name: str, value: str) -> None:
	"""A cookie of ours: for this browser session, out of reach of scripts and of other sites."""
	response.set_cookie(name, value, httponly=True, samesite="Strict", secure=request.is_secure, path="/")


def _host_name(header: str) -> str:
	found = _HOST.fullmatch(header.lower())
	return (found["address"] or found["name"]) if found else ""
