"""The first verb: from a terminal into a durable log."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Driver, Page, Window
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.ports import Accepted, CursorStore, PunchSink
from attendance_bridge.core.punch import Punch


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
	"""What one pull did. `error` is None only if the terminal was read to its end."""

	device_serial: str
	read: int = 0
	"""Records of the terminal's log that were used up, of every kind."""
	fetched: int = 0
	"""Punches among them."""
	new: int = 0
	known: int = 0
	unreadable: int = 0
	doubtful: int = 0
	"""Of all that came, known or new: punches whose time cannot be believed, and unreadable records."""
	pages: int = 0
	error: DeviceError | None = None
	stopped: bool = False
	"""Ended early because it was asked to."""

	@property
	def complete(self) -> bool:
		return self.error is None and not self.stopped


OnPage = Callable[[Page, PullReport], None]


def pull(
	device_serial: str,
	driver: Driver,
	cursors: CursorStore,
	sink: PunchSink,
	*,
	reading: ClockReading | None = None,
	window: Window | None = None,
	is_doubtful: Callable[[Punch], bool] = lambda punch: False,
	on_page: OnPage | None = None,
	stop: Callable[[], bool] = lambda: False,
) -> PullReport:
	"""Read a terminal from its cursor on; each page is durable before the cursor moves past it.

	Stops at the first `DeviceError` and reports it; whatever was accepted until then is kept. With a `window`
	the cursor is neither read nor moved.

	:param reading: the terminal's clock at this contact, stored with the punches.
	:param is_doubtful: whether the time of a punch cannot be believed; only counted, all are held.
	:param stop: asked between pages.
	:raises StoreError: the sink or the cursor store failed; the cursor did not move past the page.
	"""
	report = PullReport(device_serial=device_serial)
	cursor = START if window is not None else cursors.load(device_serial)
	pages = driver.fetch(cursor, window)
	try:
		for page in pages:
			accepted = sink.accept(page, device_serial, reading)
			if window is None:
				cursors.save(device_serial, page.cursor)
			doubtful = len(page.unreadable) + sum(map(is_doubtful, page.punches))
			report = _add(report, page, accepted, doubtful)
			if on_page is not None:
				on_page(page, report)
			if stop():
				return replace(report, stopped=True)
	except DeviceError as error:
		return replace(report, error=error)
	finally:
		if isinstance(pages, Generator):  # now, not when somebody lets go of the exception
			pages.close()
	return report


def _add(report: PullReport, page: Page, accepted: Accepted, doubtful: int) -> PullReport:
	return replace(
		report,
		read=report.read + page.read,
		fetched=report.fetched + len(page.punches),
		new=report.new + accepted.new,
		known=report.known + accepted.known,
		unreadable=report.unreadable + accepted.unreadable,
		doubtful=report.doubtful + doubtful,
		pages=report.pages + 1,
	)
