"""How far a terminal that only pushes is vouched for, when the line to it is bad in the worst way: what is
short passes, so that it seems alive, and punches do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.adms_terminal.rows import User
from tests.edge.rig import ZONE, Clock

SERIAL = "ADMS001"
MINUTES = 60
NOTED_WITHIN = 2.5
"""Seconds within which an agent writes down how far it vouches."""


@pytest.mark.parametrize("dialect", list(Dialect), ids=lambda dialect: dialect.value)
def test_a_terminal_that_asks_for_commands_but_cannot_upload_is_not_vouched_for(
	dialect: Dialect, tmp_path: Path
) -> None:
	clock = Clock()
	state = AdmsState(serial=SERIAL, dialect=dialect, now=clock)
	state.clock.follows_date = False
	state.put_user(User("7"))
	agent = Agent(
		from_mapping(
			{
				"agent": {"database": str(tmp_path / "edge.db")},
				"upstream": {"kind": "local_ledger"},
				"web": {"enabled": False},
				"receiver": {"enabled": True, "host": "127.0.0.1", "port": 0},
				"devices": [
					{"name": "Gate", "driver": "zkteco_adms", "serial": SERIAL, "timezone": ZONE.key}
				],
			}
		),
		now=clock,
	)
	agent.start()
	assert agent.receiver is not None
	try:
		with AdmsFleet(port=agent.receiver.port, pace=0.001) as fleet:
			fleet.add(state)
			_live(state, clock, MINUTES)
			# It calls, and brings nothing late: it is believed.
			_until(lambda: agent.cursors.watermark(SERIAL) is not None)
			adms_verbs.set_fault(state, "polls-only")
			missing = adms_verbs.punch(state, "7")
			_live(state, clock, MINUTES)
			time.sleep(NOTED_WITHIN)
			watermark = agent.cursors.watermark(SERIAL)
			assert watermark is not None
			assert watermark < missing.happened_at
			adms_verbs.clear_fault(state, "polls-only")
			assert fleet.wait_until_quiet()
			_until(lambda: ("7", missing.wall_time) in state.acknowledged())
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


def _live(state: AdmsState, clock: Clock, minutes: int) -> None:
	"""Minute by minute, and in each it asks for commands."""
	for _ in range(minutes):
		polls = state.counters["poll"]
		_until(lambda polls=polls: state.counters["poll"] > polls + 1)  # type: ignore[misc]
		clock.advance(seconds=timedelta(minutes=1).total_seconds())


def _until(condition: Callable[[], bool]) -> None:
	end = time.monotonic() + 20
	while not condition():
		assert time.monotonic() < end
		time.sleep(0.002)
