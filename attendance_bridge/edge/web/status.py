"""The page that says how the agent is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template

from attendance_bridge.edge.board import STATE_WORDS
from attendance_bridge.edge.web.access.guard import needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import services

blueprint = Blueprint("status", __name__)


@blueprint.get("/status")
@needs(Scope.VIEW)
def show_status() -> str:
	here = services()
	if here.status is None:
		abort(404)
	facts: Mapping[str, Any] = here.status()
	return render_template(
		"status.html",
		here="status",
		facts=facts,
		devices=here.board().get("devices", []),
		state_words=STATE_WORDS,
		ago=lambda iso: spell_ago(iso, here.now()),
		size=spell_size,
		can_test=here.connections is not None,
	)


def spell_ago(iso: str | None, now: datetime) -> str:
	"""How long ago a moment was: "never", "40 s ago", "3 h ago"."""
	if not iso:
		return "never"
	seconds = max(0, round((now - datetime.fromisoformat(iso)).total_seconds()))
	for unit, length, until in (("s", 1, 90), ("min", 60, 5_400), ("h", 3_600, 172_800)):
		if seconds < until:
			return f"{seconds // length} {unit} ago"
	return f"{seconds // 86_400} days ago"


def spell_size(size: int) -> str:
	amount = float(size)
	for unit in ("bytes", "KB", "MB"):
		if amount < 1_000:
			return f"{amount:.0f} {unit}"
		amount /= 1_000
	return f"{amount:.1f} GB"
