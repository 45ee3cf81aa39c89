"""What tests of the pages are put together from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from attendance_bridge.core.driver import Now
from attendance_bridge.edge.board import Board
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.status import Status
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.edge.web.access import passwords
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.app import make_app
from attendance_bridge.edge.web.services import Services
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.corrections import Corrections
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.log import PunchLog
from tests.edge.rig import Clock, Edge

ELSEWHERE = "192.0.2.7"
PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


def make_services(database: Database, now: Now | None = None, **given: Any) -> Services:
	"""Services with access kept in `database`; what is not given is empty."""
	clock = now or Clock()
	facts: dict[str, Any] = {
		"agent_name": "Branch 1",
		"board": dict,
		"health": lambda: {"ok": True},
		"metrics": CollectorRegistry(),
		"pulse": Pulse(),
		"trusted_hosts": ["localhost", "127.0.0.1"],
		"access": Access(Accounts(database), AuditLog(database), now=clock),
		"now": clock,
	}
	return Services(**{**facts, **given})


class Office:
	"""The app over the stores of an agent, and whoever asks it from elsewhere in the network."""

	def __init__(self, edge: Edge, **given: Any) -> None:
		self.edge = edge
		status = Status(
			database=edge.database,
			punches=edge.punches,
			outbox=edge.outbox,
			roster=edge.roster,
			upstream_label="Local ledger",
			site_decides=False,
			upstream_error=lambda: None,
			workers=lambda: {"poller": WorkerState.RUNNING},
			backup=None,
			now=edge.clock,
		)
		board = Board(
			devices=lambda: (),
			punches=edge.punches,
			cursors=edge.cursors,
			book=edge.book,
			roster=edge.roster,
			upstream_label="Local ledger",
			upstream_error=lambda: None,
			progress=dict,
			now=edge.clock,
		)
		facts: dict[str, Any] = {
			"board": board.view,
			"punches": edge.punches,
			"outbox": edge.outbox,
			"cursors": edge.cursors,
			"book": edge.book,
			"roster": edge.roster,
			"log": PunchLog(edge.database),
			"corrections": Corrections(edge.database, apart=timedelta(minutes=1)),
			"status": status.view,
		}
		self.services = make_services(edge.database, edge.clock, **{**facts, **given})
		self.access = self.services.access
		self.app: Flask = make_app(self.services)

	def account(self, name: str, role: str) -> None:
		hashed = passwords.hash_password(PASSWORD)
		self.access.accounts.add(name, role, hashed, by="test", at=self.edge.clock())

	def key(self, *scopes: Scope) -> dict[str, str]:
		"""The header of a program with these scopes."""
		name = f"program {len(self.access.accounts.keys())}"
		made = self.access.add_key(name, scopes, by="test")
		return {"Authorization": f"Bearer {made}"}

	def browser(self, address: str = ELSEWHERE) -> Browser:
		return Browser(self.app, address)


class Browser:
	def __init__(self, app: Flask, address: str) -> None:
		self.client: FlaskClient = app.test_client()
		self._environ = {"REMOTE_ADDR": address}

	def ask(self, method: str, path: str, **rest: Any) -> TestResponse:
		return self.client.open(path, method=method, environ_base=self._environ, **rest)

	def get(self, path: str, **rest: Any) -> TestResponse:
		return self.ask("GET", path, **rest)

	def post(self, path: str, **rest: Any) -> TestResponse:
		return self.ask("POST", path, **rest)

	def token(self, path: str) -> str:
		"""The token that the form of a page carries."""
		found = _TOKEN.search(self.get(path).get_data(as_text=True))
		assert found, f"{path} has no form"
		return found[1]

	def log_in(self, name: str, password: str = PASSWORD, **rest: str) -> TestResponse:
		form = {"name": name, "password": password, "csrf_token": self.token("/login"), **rest}
		return self.post("/login", data=form)

	def cookie(self, name: str) -> str | None:
		found = self.client.get_cookie(name, "localhost")
		return found.value if found else None


def text(browser: Browser, path: str) -> str:
	"""A page or file that is there."""
	answer = browser.get(path)
	assert answer.status_code == 200, path
	return answer.get_data(as_text=True)


def acts(office: Office) -> list[tuple[str, str]]:
	"""(act, who) of the audit log, the first first."""
	return [(act.act, act.who) for act in reversed(office.access.audit.latest())]


def names(found: Iterable[object]) -> set[str]:
	return {str(each) for each in found}
