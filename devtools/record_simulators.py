"""Makes the recordings in tests/recordings that come from the simulated terminals.

Each shows one quirk that terminals have been reported to have. They say of themselves that they come from a
simulator; recordings of real terminals are made with `record_device.py` and stay as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent))

from record_device import record  # a neighbour, not a package

from attendance_bridge.core.driver import Window
from attendance_bridge.core.recording import Limits, Recording
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi.config import Config as HikvisionConfig
from attendance_bridge.drivers.zkteco_tcp.config import Config as ZktecoConfig
from attendance_bridge.drivers.zkteco_tcp.config import Transport
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

TARGET = Path(__file__).resolve().parent.parent / "tests" / "recordings"
MINOR_FACE = 75
"""One kind only: each kind that counts as a punch is counted by a question of its own."""
ZONE = ZoneInfo("Asia/Dubai")
LAST_DAY = date(2026, 10, 30)
NOW = datetime(2026, 10, 31, 6, 0, tzinfo=timezone.utc)
WINDOW = Window(start=datetime(2026, 10, 30, tzinfo=ZONE), end=datetime(2026, 10, 30, 9, tzinfo=ZONE))
SMALL = Limits(pages=2, log_bytes=4 + 3920)

Make = Callable[[], Recording]


def main() -> int:
	for name, make in RECORDINGS.items():
		text = make().to_text()
		(TARGET / f"{name}.json").write_text(text, encoding="utf-8")
		print(f"{name}: {len(text):,} characters")
	return 0


# --- Hikvision


def _hikvision(
	title: str,
	*faults: str,
	minor: int = MINOR_FACE,
	prepare: Callable[[HikvisionState], None] = lambda state: None,
) -> Make:
	def make() -> Recording:
		with _hikvision_terminal(faults) as terminal:
			prepare(terminal.state)
			return _record(
				"hikvision_isapi",
				HikvisionConfig(
					host="127.0.0.1",
					port=terminal.port,
					user=USER,
					password=Secret(PASSWORD),
					timeout=1.0,
					page_size=10,
					minor=minor,
				),
				title,
			)

	return make


@contextmanager
def _hikvision_terminal(faults: tuple[str, ...]) -> Iterator[HikvisionTerminal]:
	people = workforce.build(people=6, days=2, seed=7, last_day=LAST_DAY)
	state = HikvisionState.from_workforce(people, number=1, of=2, zone=ZONE, faults=faults, now=lambda: NOW)
	with HikvisionTerminal(state) as terminal:
		yield terminal


def _one_event(state: HikvisionState) -> None:
	state.log = type(state.log)()
	state.log.record(5, 75, int(WINDOW.start.timestamp()) + 3600, 14_400, employee_no="00417", card_no="")


def _locked(state: HikvisionState) -> None:
	verbs.lock_out(state, 900)


# --- ZKTeco


def _zkteco(
	title: str, *faults: str, layout: int = 40, comm_key: int = 0, given_key: str = "", **options: Any
) -> Make:
	def make() -> Recording:
		people = workforce.build(people=6, days=2, seed=9, last_day=LAST_DAY)
		state = ZktecoState.from_workforce(
			people, zone=ZONE, log_layout=layout, comm_key=comm_key, faults=faults
		)
		# The simulated clock is the computer's; the recorded moment stands still.
		state.set_clock(NOW.astimezone(ZONE).replace(tzinfo=None))
		with ZktecoTerminal(state) as terminal:
			config = ZktecoConfig(
				host="127.0.0.1",
				port=terminal.port,
				comm_key=Secret(given_key) if given_key else None,
				timeout=1.0,
				**options,
			)
			return _record("zkteco_tcp", config, title)

	return make


def _record(driver: str, config: Any, title: str) -> Recording:
	return record(
		driver, config, zone=ZONE, now=NOW, window=WINDOW, source="simulator", title=title, limits=SMALL
	)


RECORDINGS: dict[str, Make] = {
	"hikvision_normal": _hikvision("an ordinary terminal, every kind of identification", minor=0),
	"hikvision_one_row_object": _hikvision(
		"a page with one row carries the row instead of a list", "one-row-object", prepare=_one_event
	),
	"hikvision_more_empty": _hikvision("MORE before an empty page", "more-empty", prepare=_one_event),
	"hikvision_xml_error": _hikvision("no count: ResponseStatus notSupport", "no-total", "old-namespace"),
	"hikvision_bad_rows": _hikvision("rows with impossible times and ids", "bad-date-row"),
	"hikvision_garbage": _hikvision("another kind of device behind the address", "garbage"),
	"hikvision_slow": _hikvision("an answer that does not come", "slow"),
	"hikvision_locked_out": _hikvision("the account is locked", prepare=_locked),
	"zkteco_8_bytes": _zkteco("records of 8 bytes, ids from the user list", layout=8),
	"zkteco_16_bytes": _zkteco("records of 16 bytes, ids as numbers", layout=16),
	"zkteco_40_bytes": _zkteco("records of 40 bytes"),
	"zkteco_49_bytes": _zkteco("records of 49 bytes", layout=49),
	"zkteco_udp": _zkteco("UDP, after TCP was refused", "udp-only", transport=Transport.AUTO),
	"zkteco_bad_date": _zkteco("a row dated 31 February, and one of nobody", "bad-date-row", "bad-user-row"),
	"zkteco_comm_key": _zkteco("a comm key", comm_key=4711, given_key="4711"),
	"zkteco_wrong_comm_key": _zkteco("a comm key that is refused", comm_key=4711, given_key="4712"),
	"zkteco_half_closed": _zkteco("the connection ends in the middle of the log", "half-closed"),
	"zkteco_garbage": _zkteco("another kind of device behind the port", "garbage"),
	"zkteco_slow": _zkteco("an answer that does not come", "slow"),
}


if __name__ == "__main__":
	sys.exit(main())
