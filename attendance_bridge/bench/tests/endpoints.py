"""Every whitelisted function of the app, found by itself, and arguments to call it with."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import Any

import frappe

from attendance_bridge import api

FOR_AGENTS = frozenset(
	{
		"attendance_bridge.api.ingest.punches",
		"attendance_bridge.api.ingest.unreadable",
		"attendance_bridge.api.edge.roster",
		"attendance_bridge.api.edge.devices",
		"attendance_bridge.api.edge.heartbeat",
		"attendance_bridge.api.edge.templates",
		"attendance_bridge.api.edge.faces",
		"attendance_bridge.api.edge.erasures",
	}
)


def all_functions() -> dict[str, Any]:
	"""By dotted path."""
	for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
		importlib.import_module(module.name)
	paths = {f"{function.__module__}.{function.__name__}": function for function in frappe.whitelisted}
	return {path: paths[path] for path in sorted(paths) if path.startswith("attendance_bridge.")}


def verb_of(function: Any) -> str:
	"""An HTTP method by which it may be called."""
	return "POST" if "POST" in frappe.allowed_http_methods_for_whitelisted_func[function] else "GET"


def arguments_of(function: Any, known: Mapping[str, Any]) -> dict[str, Any]:
	"""Values that its arguments take, so that nothing but the permission stands in the way."""
	return {
		name: known.get(name, _some(parameter.annotation))
		for name, parameter in inspect.signature(function).parameters.items()
		if parameter.kind is not inspect.Parameter.VAR_KEYWORD
	}


def _some(annotation: Any) -> Any:
	text = str(annotation)
	for word, value in (("list", []), ("dict", {}), ("int", 1), ("bool", True), ("date", "2026-03-02")):
		if word in text:
			return value
	return "x"
