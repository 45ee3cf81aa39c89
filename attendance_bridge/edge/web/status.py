"""The page that says how the agent is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.projection import State
from attendance_bridge.edge.board import STATE_WORDS
from attendance_bridge.edge.web import records
from attendance_bridge.edge.web.access.guard import caller, needs
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
		testable=here.connections.names() if here.connections else (),
		outdated=records.outdated(here),
		retried=request.args.get("retried", type=int),
		may_retry=here.punches is not None and not here.site_decides,
	)


@blueprint.post("/status/retries")
@needs(Scope.CORRECT)
def retry() -> Response:
	"""Let every punch of a state be decided and sent again: what kept them was put right."""
	try:
		number = records.retry(services(), State(request.form.get("state", "")), caller())
	except ValueError:
		abort(400)
	return redirect(url_for("status.show_status", retried=number), 303)


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
