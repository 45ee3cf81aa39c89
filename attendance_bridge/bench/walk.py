"""A walk over employees in pages: an agent learns everybody, and then whatever has changed since it asked.

The token of an agent says how far its walk has come, and when it began: the next walk asks for what changed
since. Transactions that commit late carry an earlier time than their commit, so each walk looks back a little
further. Not every change leaves a trace (an Employee may be renamed, or removed in the database), so that
everybody is sent anew once a day.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone

from attendance_bridge.bench import moments

OVERLAP = timedelta(minutes=15)
"""Longer than any transaction that changes an Employee takes to commit."""
WHOLE_EVERY = timedelta(days=1)
MAX_TOKEN_LENGTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
	"""Where a walk stands, as its token says it."""

	whole: bool
	"""Over everybody, not only over those about whom something has changed."""
	scope: str
	"""What the agent asked for when it began; something else now means to begin anew."""
	whole_at: float
	"""When the last walk over everybody began; seconds since 1970, as all moments here."""
	began_at: float
	since: float = 0.0
	"""Changes from then on are asked for."""
	after_modified: str = ""
	"""Of the last person of the last page, where the walk goes by the time of their change."""
	after: str = ""
	"""The last person of the last page; empty at the beginning."""

	@property
	def first(self) -> bool:
		"""Whether its first page is asked for."""
		return not self.after

	@property
	def looking_back(self) -> datetime:
		"""From when on changes are asked for, in site time; earlier where clocks went back meanwhile."""
		moment = min(moments.to_site(_moment(self.since)), moments.to_site(_moment(self.began_at)))
		return moment - OVERLAP

	def moved(self, after: str, after_modified: str = "") -> Walk:
		"""Behind the last person of a page."""
		return replace(self, after=after, after_modified=after_modified)

	def ended(self) -> Walk:
		"""The walk that follows when this one has come to its end."""
		return replace(self, whole=False, since=self.began_at, after="", after_modified="")

	def to_token(self) -> str:
		return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


def resume(token: str, scope: str) -> Walk:
	"""The walk of a token, or one over everybody if it is none of ours, of another scope, or too old.

	:param scope: from `scope_of`.
	"""
	now = moments.utc_now()
	walk = _read(token)
	known = walk is not None and walk.scope == scope and walk.began_at <= now.timestamp()
	if walk is None or not known or now - _moment(walk.whole_at) > WHOLE_EVERY:
		return Walk(whole=True, scope=scope, whole_at=now.timestamp(), began_at=now.timestamp())
	return replace(walk, began_at=now.timestamp()) if walk.first else walk


def scope_of(*facts: object) -> str:
	"""A digest of what an agent asks for."""
	return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _read(token: str) -> Walk | None:
	"""The walk of a token; None if it is none of ours, or of another version."""
	try:
		walk = Walk(**json.loads(base64.urlsafe_b64decode(token.encode("ascii"))))
		if [type(value) for value in asdict(walk).values()] != [bool, str, float, float, float, str, str]:
			return None
		for seconds in (walk.whole_at, walk.began_at, walk.since):
			_moment(seconds)
	except (ValueError, TypeError, OverflowError, OSError, RecursionError, binascii.Error):
		return None
	return walk


def _moment(seconds: float) -> datetime:
	return datetime.fromtimestamp(seconds, timezone.utc)
