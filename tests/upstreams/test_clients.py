"""The connections to a site, let go of while some are borrowed."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.redact import Secret
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams._frappe.clients import Clients
from attendance_bridge.upstreams.erpnext_rest.config import Config


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
	"""The clients that were closed, in order."""
	found: list[Client] = []
	monkeypatch.setattr(Client, "close", lambda client: found.append(client))
	return found


class _LastMoment(Clients):
	"""`close` comes just after a borrower has put its connection back."""

	looks = 0

	@property
	def closed(self) -> bool:
		self.looks += 1
		answer = super().closed
		if self.looks == 2:
			self.close()
			answer = super().closed
		return answer


def clients(kind: type[Clients] = Clients) -> Clients:
	config = Config(
		url="http://127.0.0.1:1",
		api_key=Secret("key"),
		api_secret=Secret("secret"),
		timezone=ZoneInfo("Asia/Dubai"),
	)
	return kind(config, timer=time.monotonic, sleep=time.sleep)


def test_one_that_is_borrowed_is_closed_when_it_comes_back(closed: list[Client]) -> None:
	made = clients()
	with made.borrow() as client:
		made.close()
		assert closed == []
	assert closed == [client]


def test_one_is_closed_by_one_thread_only(closed: list[Client]) -> None:
	"""Two at once: the second may find that there is nothing to close between its look and its act."""
	made = clients(_LastMoment)
	with made.borrow() as client:
		pass
	made.close()
	assert closed == [client]
