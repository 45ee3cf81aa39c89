"""Logging in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from attendance_bridge.edge.web.access import passwords
from attendance_bridge.edge.web.access.access import TooManyError
from attendance_bridge.edge.web.access.guard import LOGIN_COOKIE, caller, public, set_cookie
from attendance_bridge.edge.web.languages import AUTO, choose
from attendance_bridge.edge.web.services import services

blueprint = Blueprint("session", __name__)


@blueprint.get("/login")
@public
def show_login() -> str:
	return _page(request.args.get("next", ""), "login_over" if "over" in request.args else "")


@blueprint.post("/login")
@public
def log_in() -> Response | tuple[str, int]:
	name, password = request.form.get("name", "")[:100], request.form.get("password", "")
	next_page = request.form.get("next", "")
	try:
		fits = len(password) <= passwords.LONGEST
		token = services().access.log_in(name, password if fits else "", caller().address)
	except TooManyError:
		return _page(next_page, "rate_limited"), 429
	if token is None:
		return _page(next_page, "login_refused"), 401
	_end_login()  # what the browser came with, of whomever that was
	answer = redirect(_here(next_page), 303)
	set_cookie(answer, LOGIN_COOKIE, token)
	return answer


@blueprint.post("/logout")
@public
def log_out() -> Response:
	_end_login()
	answer = redirect("/", 303)
	answer.delete_cookie(LOGIN_COOKIE, path="/")
	return answer


def _end_login() -> None:
	token = request.cookies.get(LOGIN_COOKIE, "")
	if token:
		services().access.log_out(token, caller())


def _page(next_page: str, problem: str = "") -> str:
	settings = services().settings
	language = settings.vision.kiosk.language if settings and settings.vision else AUTO
	return render_template(
		"login.html",
		here="login",
		next_page=_here(next_page),
		problem=problem,
		language=choose(language, request.accept_languages),
	)


def _here(path: str) -> str:
	"""A path of ours to go on to; the front page for anything that could lead elsewhere."""
	is_ours = path.startswith("/") and path.isprintable() and "//" not in path.partition("?")[0]
	return path if is_ours and "\\" not in path and path.isascii() else "/"
