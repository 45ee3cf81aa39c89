"""The page that says how the agent is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.projection import State
from attendance_bridge.edge.board import STATE_WORDS
from attendance_bridge.edge.messages import LIVE_WORDS, NO_RECEIVER_TOKEN, POSTS_WORDS, sentence
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
		roads=lambda name: roads(facts, name, here.now()),
		size=spell_size,
		testable=here.connections.names() if here.connections else (),
		people_minutes=here.people_minutes,
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


def roads(facts: Mapping[str, Any], device: str, now: datetime) -> list[tuple[str, str, str]]:
	"""How the live roads of a terminal stand: label, words and tone; nothing for one that is only read."""
	live, posts = facts.get("live", {}).get(device), facts.get("posts", {}).get(device)
	found = [("Listening", *_spell_live(live, device, now))] if live else []
	return [*found, ("Posts", *_spell_posts(posts, device, now))] if posts else found


def _spell_live(live: Mapping[str, Any], device: str, now: datetime) -> tuple[str, str]:
	words, tone = LIVE_WORDS[live["standing"]]
	parts = [f"{words}, since {spell_ago(live['since'], now)}"]
	if live["event_at"]:
		parts.append(f"last punch {spell_ago(live['event_at'], now)}")
	if live["gaps"]:
		parts.append(f"{live['gaps']} {'gap' if live['gaps'] == 1 else 'gaps'} read again")
	return _explained("; ".join(parts), live["code"], device), tone


def _spell_posts(posts: Mapping[str, Any], device: str, now: datetime) -> tuple[str, str]:
	is_told = posts["told_at"] is not None and not posts["code"]
	is_kept = not posts["not_kept"] and posts["reaches_us"] is not False
	words, tone = POSTS_WORDS[
		posts["delivery"] if is_told and is_kept else "not_kept" if is_told else "not_told"
	]
	parts = [words]
	if posts["not_kept"]:
		parts.append(f"reads back otherwise: {', '.join(posts['not_kept'])}")
	if posts["said"] and posts["reaches_us"] is False:
		parts.append(f"its own test says: {posts['said']}")
	if posts["arrived_at"]:
		parts.append(f"last arrival {spell_ago(posts['arrived_at'], now)}")
	return _explained("; ".join(parts), posts["code"], device), tone


def _explained(words: str, code: str, device: str) -> str:
	if code == Code.SECRET_MISSING.value:
		return f"{words}. {NO_RECEIVER_TOKEN}"
	return f"{words}. {sentence(DeviceError(Code(code)), device)}" if code else words


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
