from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance_bridge.stores.database import Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
	with Database.open(tmp_path / "bridge.db") as database:
		yield database
