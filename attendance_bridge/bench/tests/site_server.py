"""A web server for the site under test, and those who call it over HTTP."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import unittest
from typing import Any

import frappe
import requests

START_SECONDS = 60
ANSWER_SECONDS = 120


class SiteServer:
	"""gunicorn on a free port of loopback; it serves what is committed."""

	def __init__(
		self, *, workers: int = 2, threads: int = 4, application: str = "frappe.app:application"
	) -> None:
		"""
		:param application: as gunicorn names it.
		:raises unittest.SkipTest: gunicorn is not there.
		"""
		if importlib.util.find_spec("gunicorn") is None:
			raise unittest.SkipTest("gunicorn is not installed")
		with socket.socket() as probe:
			probe.bind(("127.0.0.1", 0))
			self.port: int = probe.getsockname()[1]
		self.site: str = frappe.local.site
		self._process = subprocess.Popen(
			[
				*(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"),
				*("--workers", str(workers), "--threads", str(threads), "--timeout", "120"),
				*("--log-level", "error", application),
			],
			cwd=os.path.abspath(frappe.local.sites_path),  # noqa: PTH100  # Frappe gives it as text
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
		)
		self._wait()

	def _wait(self) -> None:
		deadline = time.monotonic() + START_SECONDS
		while time.monotonic() < deadline:
			try:
				if Caller(self).get("/api/method/ping").status_code == 200:
					return
			except requests.ConnectionError:
				pass
			if self._process.poll() is not None:
				break
			time.sleep(0.2)
		self.stop()
		raise RuntimeError("the web server of the test did not start")

	def stop(self) -> None:
		self._process.terminate()
		self._process.wait(30)


class Caller:
	"""One who calls the site, with a key and secret or as Guest."""

	def __init__(self, server: SiteServer, key: dict[str, str] | None = None) -> None:
		"""
		:param key: `api_key` and `api_secret`.
		"""
		self._root = f"http://127.0.0.1:{server.port}"
		self._session = requests.Session()
		self._session.headers["Host"] = server.site
		self._session.headers["Accept"] = "application/json"
		if key:
			self._session.headers["Authorization"] = f"token {key['api_key']}:{key['api_secret']}"

	def log_in(self, user: str, password: str) -> Caller:
		"""Go on as somebody who has typed their password, as in a browser."""
		answer = self.send("POST", "/api/method/login", data={"usr": user, "pwd": password})
		answer.raise_for_status()
		return self

	def get(self, path: str, **values: Any) -> requests.Response:
		return self.send("GET", path, params=values)

	def send(self, verb: str, path: str, **arguments: Any) -> requests.Response:
		return self._session.request(verb, self._root + path, timeout=ANSWER_SECONDS, **arguments)

	def post(self, method: str, **values: Any) -> requests.Response:
		"""Call a method with a JSON body."""
		body = json.dumps(values)
		headers = {"Content-Type": "application/json"}
		return self.send("POST", f"/api/method/{method}", data=body, headers=headers)
