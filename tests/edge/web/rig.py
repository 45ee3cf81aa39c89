"""What tests of the pages are put together from."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from attendance_bridge.core.driver import Now
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.services import Services
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.database import Database
from tests.edge.rig import Clock


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
