"""What is answered when something is not possible: a page with a sentence to people, a code to programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from attendance_bridge.edge.messages import PAGE_PROBLEMS
from attendance_bridge.edge.web.answers import error_answer

_CODES = {
	400: "bad_request",
	403: "forbidden",
	404: "not_found",
	405: "method_not_allowed",
	413: "too_large",
	429: "rate_limited",
	500: "failed",
}


def problem(status: int, code: str, *, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
	"""The answer to whoever asks: somebody who looks at pages, or a program (see `error_answer`)."""
	if code not in PAGE_PROBLEMS or not _is_looked_at():
		return error_answer(status, code, headers=headers, **facts)
	page = make_response(
		render_template("problem.html", here="problem", words=PAGE_PROBLEMS[code], code=code), status
	)
	page.headers.update(dict(headers or {}))
	return page


def _is_looked_at() -> bool:
	"""Whether a browser goes to a page; what scripts call asks for anything."""
	return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def install(app: Flask) -> None:
	"""Answer like this to whatever no view answers to."""

	@app.errorhandler(HTTPException)
	def refuse(error: HTTPException) -> Response:
		if isinstance(error.response, Response):
			return error.response  # a view made it itself: `abort(response)`
		status = error.code or 500
		code = _CODES.get(status, "bad_request" if status < 500 else "failed")
		facts = {"path": request.path[:200]} if status == 404 else {}
		kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
		return problem(status, code, headers=kept, **facts)
