"""A call of the JSON API: what it takes and answers is written down once; checks and OpenAPI come from there.

Any blueprint may use it below its route, and is in the OpenAPI then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from attendance_bridge.edge.web.access.guard import needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.answers import error_answer, json_answer


class ApiError(Exception):
	"""An answer other than the expected one.

	:param status: one of those that the endpoint documents.
	"""

	def __init__(self, status: int, code: str, **facts: object) -> None:
		super().__init__(code)
		self.status = status
		self.code = code
		self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Documented:
	summary: str
	scopes: frozenset[Scope]
	query: Schema | None
	body: Schema | None
	pictures: tuple[str, ...]
	answer: Schema
	events: bool
	errors: Mapping[int, str]


def endpoint(
	*scopes: Scope,
	summary: str,
	answer: Schema,
	query: Schema | None = None,
	body: Schema | None = None,
	pictures: tuple[str, ...] = (),
	events: bool = False,
	errors: Mapping[int, str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
	"""Make a view of a function that takes what was sent, by keywords, and returns what is to be answered.

	:param pictures: the types of a picture that is sent instead of JSON; the function reads it itself.
	:param events: it answers with server-sent events, whose data is as `answer` says; the function returns
		the stream itself.
	:param errors: the statuses of the `ApiError` it may raise, and when.
	"""

	def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
		@functools.wraps(view)
		def checked(**path: Any) -> Response:
			try:
				given = {**_loaded(query, _flat(request.args)), **(_loaded(body, _json()) if body else {})}
				answered = view(**path, **given)
				return answered if isinstance(answered, Response) else json_answer(answer.dump(answered))
			except ValidationError as error:
				return error_answer(422, "bad_value", fields=error.messages)
			except ApiError as error:
				return json_answer({"error": error.code, **error.facts}, error.status)

		checked.documented = Documented(  # type: ignore[attr-defined]
			summary=summary,
			scopes=frozenset(scopes),
			query=query,
			body=body,
			pictures=pictures,
			answer=answer,
			events=events,
			errors=errors or {},
		)
		return needs(*scopes)(checked)

	return decorate


def documented(view: Callable[..., Any]) -> Documented | None:
	found = getattr(view, "documented", None)
	return found if isinstance(found, Documented) else None


def _loaded(schema: Schema | None, given: Mapping[str, Any]) -> dict[str, Any]:
	if schema is None:
		if given:
			raise ValidationError({name: ["Unknown field."] for name in given})
		return {}
	loaded: dict[str, Any] = schema.load(given)
	return loaded


def _flat(arguments: Any) -> dict[str, Any]:
	"""One value a name; several of one name are no value of ours."""
	lists: dict[str, list[str]] = arguments.to_dict(flat=False)
	return {name: values[0] if len(values) == 1 else values for name, values in lists.items()}


def _json() -> Mapping[str, Any]:
	if request.mimetype != "application/json":
		raise ApiError(415, "not_json")
	try:
		given = request.get_json()
	except RequestEntityTooLarge:
		raise
	except BadRequest:
		raise ApiError(400, "not_json") from None
	if not isinstance(given, dict):
		raise ValidationError({"_schema": ["an object is expected"]})
	return given
