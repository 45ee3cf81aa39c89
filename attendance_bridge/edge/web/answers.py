"""JSON out: data, and errors as codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response


def dump(data: object) -> str:
	"""In ASCII: an id out of a damaged record may hold what no UTF-8 can say."""
	return json.dumps(data)


def json_answer(data: object, status: int = 200) -> Response:
	return Response(dump(data), status, mimetype="application/json")


def error_answer(
	status: int, code: str, *, headers: Mapping[str, str] | None = None, **facts: Any
) -> Response:
	"""`{"error": code, …}`; the words are the page's."""
	answer = json_answer({"error": code, **facts}, status)
	answer.headers.update(dict(headers or {}))
	return answer
