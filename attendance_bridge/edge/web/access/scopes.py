"""What somebody may do, and who it is that asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Scope(str, Enum):
	KIOSK = "kiosk"
	"""See the live pages, board and kiosk; everybody may who asks from this machine itself."""
	VIEW = "view"
	"""See punches, people and status."""
	ENROLL = "enroll"
	"""Enrol people."""
	CORRECT = "correct"
	"""Correct punches."""
	ADMIN = "admin"
	"""Look into the audit log, test connections."""


ROLES: dict[str, frozenset[Scope]] = {
	"kiosk": frozenset({Scope.KIOSK}),
	"viewer": frozenset({Scope.KIOSK, Scope.VIEW}),
	"enroller": frozenset({Scope.KIOSK, Scope.VIEW, Scope.ENROLL}),
	"manager": frozenset({Scope.KIOSK, Scope.VIEW, Scope.ENROLL, Scope.CORRECT}),
	"admin": frozenset(Scope),
}
"""The scopes of each role of an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
	"""Who asks."""

	who: str = ""
	"""An account, or "key NAME"; empty for somebody who did not say."""
	scopes: frozenset[Scope] = frozenset()
	address: str = ""
	has_login: bool = False
	"""Came with the cookie of a login: a page elsewhere could send it along."""
	has_key: bool = False
	is_here: bool = False
	"""Asks from this machine itself, and not through a proxy on it."""

	def may(self, *scopes: Scope) -> bool:
		"""Whether one of these scopes is theirs."""
		return not self.scopes.isdisjoint(scopes)
