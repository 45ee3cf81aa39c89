"""A real site, asked over its REST API as its administrator: what the browser tests prepare and look up."""

from __future__ import annotations

import json
from typing import Any

import requests

TIMEOUT_SECONDS = 60


class Site:
	"""One signed-in session."""

	def __init__(self, url: str, user: str, password: str) -> None:
		self.url = url.rstrip("/")
		self._session = requests.Session()
		self._call("POST", "/api/method/login", {"usr": user, "pwd": password})

	def close(self) -> None:
		self._session.close()

	def insert(self, doctype: str, **values: Any) -> str:
		"""Make a document; returns its name."""
		return self._call("POST", f"/api/resource/{doctype}", values)["data"]["name"]

	def update(self, doctype: str, name: str, **values: Any) -> None:
		self._call("PUT", f"/api/resource/{doctype}/{name}", values)

	def ask(self, method: str, **values: Any) -> Any:
		"""Call a whitelisted function of the app that changes something."""
		return self._call("POST", f"/api/method/attendance_bridge.api.{method}", values).get("message")

	def exists(self, doctype: str, name: str) -> bool:
		return bool(self.rows(doctype, {"name": name}, ["name"]))

	def rows(self, doctype: str, filters: dict[str, Any], fields: list[str]) -> list[dict[str, Any]]:
		"""All documents that meet the filters."""
		parameters = {
			"filters": json.dumps(filters),
			"fields": json.dumps(fields),
			"limit_page_length": 0,
		}
		return self._call("GET", f"/api/resource/{doctype}", parameters)["data"]

	def value(self, doctype: str, name: str, field: str) -> Any:
		return self.rows(doctype, {"name": name}, [field])[0][field]

	def first(self, doctype: str) -> str:
		return self.rows(doctype, {}, ["name"])[0]["name"]

	def _call(self, verb: str, path: str, values: dict[str, Any]) -> dict[str, Any]:
		sent = {"params": values} if verb == "GET" else {"json": values}
		answer = self._session.request(verb, self.url + path, timeout=TIMEOUT_SECONDS, **sent)
		if not answer.ok:
			raise AssertionError(f"{verb} {path}: {answer.status_code} {answer.text[:1500]}")
		return answer.json()
