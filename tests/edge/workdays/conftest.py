from __future__ import annotations

import pytest

from tests.edge.rig import Clock
from tests.edge.workdays.rig import NEXT_MONTH


@pytest.fixture
def clock() -> Clock:
	return Clock(NEXT_MONTH)
