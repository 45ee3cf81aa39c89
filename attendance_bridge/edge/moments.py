"""Which moment it is: the one clock that an agent goes by unless it is handed another."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_now() -> datetime:
	return datetime.now(timezone.utc)
