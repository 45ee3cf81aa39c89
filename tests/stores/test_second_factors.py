"""PINs and badges: only their hashes are kept, and only the right one matches."""

from __future__ import annotations

from pathlib import Path

import pytest

from attendance_bridge.stores.database import Database
from attendance_bridge.stores.second_factors import SecondFactors

PIN, BADGE = "83910274", "CARD-0042-77"


def test_what_is_set_matches_and_nothing_else(tmp_path: Path) -> None:
	with Database.open(tmp_path / "edge.db") as database:
		factors = SecondFactors(database)
		factors.set("E1", "pin", PIN)
		factors.set("E1", "badge", BADGE)
		assert factors.matches("E1", "pin", PIN)
		assert factors.matches("E1", "badge", BADGE)
		assert not factors.matches("E1", "pin", "83910275")
		assert not factors.matches("E1", "pin", BADGE)
		assert not factors.matches("E2", "pin", PIN)
		assert factors.kinds() == {"E1": {"pin", "badge"}}
		factors.set("E1", "pin", "1111")
		assert not factors.matches("E1", "pin", PIN)
		factors.clear("E1")
		assert factors.kinds() == {}


@pytest.mark.parametrize(
	("kind", "secret"),
	[("pin", "123"), ("pin", "1" * 13), ("pin", "12a4"), ("pin", "١٢٣٤"), ("badge", "ab"), ("face", "1234")],
)
def test_what_is_none_is_refused(tmp_path: Path, kind: str, secret: str) -> None:
	with Database.open(tmp_path / "edge.db") as database, pytest.raises(ValueError, match="digits"):
		SecondFactors(database).set("E1", kind, secret)


def test_neither_stands_in_the_file(tmp_path: Path) -> None:
	with Database.open(tmp_path / "edge.db") as database:
		SecondFactors(database).set("E1", "pin", PIN)
		SecondFactors(database).set("E1", "badge", BADGE)
	content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
	assert PIN.encode() not in content
	assert BADGE.encode() not in content
