"""The OpenAPI description, made from the endpoints themselves."""

from __future__ import annotations

import re
import warnings
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask

from attendance_bridge import __version__
from attendance_bridge.edge.web.api.endpoint import Documented, documented
from attendance_bridge.edge.web.api.schemas import Error

_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_KINDS: dict[str | None, dict[str, str]] = {
	"uuid": {"type": "string", "format": "uuid"},
	None: {"type": "string"},
}
_ALWAYS = {401: "no login or key, or a wrong one", 403: "not within its scopes", 429: "too many calls"}


def describe(app: Flask) -> dict[str, Any]:
	"""The description of every documented endpoint of an app."""
	plugin = MarshmallowPlugin()
	spec = APISpec(
		title="Attendance Bridge, edge agent",
		version=__version__,
		openapi_version="3.0.3",
		plugins=[plugin],
		info={"description": "Send a key of `edge key add` as `Authorization: Bearer …`."},
		security=[{"key": []}],
	)
	spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
	converter = plugin.converter
	if converter is None:
		raise RuntimeError("APISpec has not set its plugin up")
	with warnings.catch_warnings():
		# One schema in several places is one schema.
		warnings.simplefilter("ignore")
		for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
			found = documented(app.view_functions[rule.endpoint])
			if found is None:
				continue
			method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})).lower()
			spec.path(
				path=_PARAMETER.sub(r"{\g<name>}", rule.rule),
				operations={method: _operation(found, rule.rule, converter)},
			)
	return spec.to_dict()


def _operation(found: Documented, rule: str, converter: OpenAPIConverter) -> dict[str, Any]:
	parameters: list[dict[str, Any]] = [
		{"name": part["name"], "in": "path", "required": True, "schema": _KINDS[part["kind"]]}
		for part in _PARAMETER.finditer(rule)
	]
	if found.query is not None:
		parameters += [
			converter._field2parameter(field, name=name, location="query")
			for name, field in found.query.fields.items()
		]
	errors = {**_ALWAYS, 422: "a value is not as described", **found.errors}
	kind, words = "application/json", "OK"
	if found.events:
		kind, words = "text/event-stream", "events that go on; the data of each is JSON as described"
	if found.body is not None:
		errors = {400: "no JSON", 413: "too large", 415: "no JSON", **errors}
	operation: dict[str, Any] = {
		"summary": found.summary,
		"description": "Scope: " + " or ".join(sorted(scope.value for scope in found.scopes)),
		"parameters": parameters,
		"responses": {
			"200": {"description": words, "content": {kind: {"schema": found.answer}}},
			**{
				str(status): {"description": why, "content": {"application/json": {"schema": Error}}}
				for status, why in sorted(errors.items())
			},
		},
	}
	if found.body is not None:
		operation["requestBody"] = {
			"required": True,
			"content": {"application/json": {"schema": found.body}},
		}
	if found.pictures:
		binary = {"schema": {"type": "string", "format": "binary"}}
		content = dict.fromkeys(found.pictures, binary)
		operation["requestBody"] = {"required": True, "content": content}
	return operation
