"""Live capture: a connection that is kept open, over which the terminal tells of each punch.

Silence is no sign of trouble here: this protocol has no heartbeat. So the terminal is asked now and then how
many punches it holds. The question shows whether it is still there, and its answer whether it told of all of
them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from zk import const

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.drivers.zkteco_tcp.live_events import EventReader
from attendance_bridge.drivers.zkteco_tcp.session import Session

LOOK_SECONDS = 0.2
"""How often to look whether to stop."""
ASK_SECONDS = 20.0
"""How often the terminal is asked how much it holds."""


def capture(
	session: Session, reader: EventReader, held: Callable[[], int | None], stop: Callable[[], bool]
) -> Iterator[Page]:
	"""See `core.driver.LiveDriver.listen`.

	:param held: asks the terminal over `session` how many punches it holds; None if it does not say.
	"""
	session.ask("live events", lambda terminal: terminal.reg_event(const.EF_ATTLOG))
	session.share()
	try:
		count = _Count(held())
		asked_at = time.monotonic()
		yield Page(punches=(), cursor=START)
		unacknowledged = 0
		while not stop():
			packets = session.events()
			if packets:
				unacknowledged += len(packets)
				yield count.note(reader.page(packets))
			elif session.attend(unacknowledged, LOOK_SECONDS):
				unacknowledged = 0
				if time.monotonic() - asked_at >= ASK_SECONDS:
					holds = held()
					asked_at = time.monotonic()
					# What came in the middle of the answer is counted in it.
					packets = session.events()
					unacknowledged += len(packets)
					page = count.note(reader.page(packets))
					yield replace(page, gap=count.is_short_of(holds) or page.gap)
				else:
					session.is_ringing(LOOK_SECONDS)
	except DeviceError:
		# What came before the connection broke is good; acknowledged it cannot be any more.
		packets = session.events()
		if packets:
			yield reader.page(packets)
		raise
	finally:
		session.close()


class _Count:
	"""Whether the terminal told of all that it recorded."""

	def __init__(self, held: int | None) -> None:
		self._held = held
		self._told = 0

	def note(self, page: Page) -> Page:
		"""The same page, counted."""
		self._told += page.read
		return page

	def is_short_of(self, held: int | None) -> bool:
		before, told = self._held, self._told
		self._held, self._told = held, 0
		return before is not None and held is not None and held - before > told
