"""How the agent is, for whoever has to keep it going."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from attendance_bridge import __version__
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.core.projection import State
from attendance_bridge.edge.listener import Live
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.edge.vision.ports import VisionState
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster


class Status:
	"""Gathers on demand; every query is bounded."""

	def __init__(
		self,
		*,
		database: Database,
		punches: PunchStore,
		outbox: SqliteOutbox,
		roster: Roster,
		upstream_label: str,
		site_decides: bool,
		upstream_error: Callable[[], UpstreamError | None],
		workers: Callable[[], Mapping[str, WorkerState]],
		backup: Path | None,
		now: Now,
		live: Callable[[], Mapping[str, Live]] = dict,
		posts: Callable[[], Mapping[str, Any]] = dict,
		seeing: Callable[[], VisionState | None] = lambda: None,
		troubles: Callable[[], list[dict[str, str]]] = list,
	) -> None:
		"""
		:param backup: the file, or the folder of files, that a backup job writes.
		:param live: how listening stands, by name of the terminal.
		:param posts: how those stand that are told to post, likewise.
		:param seeing: how camera and recognition are; None on an agent without.
		:param troubles: what is wrong and what to do, as `edge.troubles` has it.
		"""
		self._database = database
		self._punches = punches
		self._outbox = outbox
		self._roster = roster
		self._upstream_label = upstream_label
		self._site_decides = site_decides
		self._upstream_error = upstream_error
		self._workers = workers
		self._backup = backup
		self._now = now
		self._live = live
		self._posts = posts
		self._seeing = seeing
		self._troubles = troubles
		self._started_at = now()

	def view(self) -> dict[str, Any]:
		"""Everything as JSON-able data."""
		return {
			"now": self._now().isoformat(),
			"version": __version__,
			"started_at": self._started_at.isoformat(),
			"troubles": self._troubles(),
			"upstream": self._upstream(),
			"queue": self._queue(),
			"counts": {state.value: count for state, count in self._punches.counts().items()},
			"unreadable": self._punches.unreadable_count(),
			"people": self._people(),
			"workers": {name: state.value for name, state in self._workers().items()},
			"posts": dict(self._posts()),
			"live": {name: live.as_json() for name, live in self._live().items()},
			"database": self._files(),
			"vision": state.as_json() if (state := self._seeing()) else None,
		}

	def _upstream(self) -> dict[str, Any]:
		error = self._upstream_error()
		return {
			"label": self._upstream_label,
			"decides": self._site_decides,
			"ok": error is None,
			"problem": sentence(error) if error else "",
		}

	def _queue(self) -> dict[str, Any]:
		backlog = self._outbox.backlog(self._now())
		return {
			"waiting": backlog.waiting,
			"undecided": self._punches.counts()[State.RECEIVED],
			"due": backlog.due,
			"in_doubt": backlog.in_doubt,
			"oldest": _iso(backlog.oldest_occurred_at),
		}

	def _people(self) -> dict[str, Any]:
		return {"count": len(self._roster.people()), "refreshed_at": _iso(self._roster.refreshed_at)}

	def _files(self) -> dict[str, Any]:
		path = self._database.path
		log = path.with_name(path.name + "-wal")
		return {
			"bytes": _size(path) + _size(log),
			"backup_at": _iso(_newest(self._backup)),
			"backup_is_known": self._backup is not None,
		}


def _iso(moment: datetime | None) -> str | None:
	return moment.isoformat() if moment else None


def _size(path: Path) -> int:
	try:
		return path.stat().st_size
	except OSError:
		return 0


def _newest(place: Path | None) -> datetime | None:
	"""When the newest backup was written; None if there is none, or nobody may look."""
	if place is None:
		return None
	try:
		files = [each for each in place.iterdir() if each.is_file()] if place.is_dir() else [place]
		newest = max((each.stat().st_mtime for each in files), default=None)
	except OSError:
		return None
	return None if newest is None else datetime.fromtimestamp(newest, timezone.utc)
