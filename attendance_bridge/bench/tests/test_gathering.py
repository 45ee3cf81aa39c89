"""Pages of a terminal, gathered: nothing left out, nothing out of order, nothing kept back by an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import patch

from attendance_bridge.bench import gathering
from attendance_bridge.bench.gathering import Gathering
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import terminals
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Page, UnreadableRow, Window
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.pull import pull

MONDAY = datetime(2026, 3, 2)


class _Terminal:
	"""Gives pages of seven punches and one unreadable record, then perhaps an error."""

	serial = "ABT"

	def __init__(self, pages: int, error: Exception | None = None) -> None:
		self.given = 0
		self.closed = False
		self.pages = [
			Page(
				punches=tuple(
					terminals.punch("1", MONDAY + timedelta(minutes=7 * page + step)) for step in range(7)
				),
				cursor=Cursor({"page": page}),
				unreadable=(UnreadableRow(raw=f"{page:04x}", reason="bad_date"),),
				expected=10 * pages,
				read=10,
			)
			for page in range(pages)
		]
		self._error = error

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		try:
			for page in self.pages:
				self.given += 1
				yield page
			if self._error:
				raise self._error
		finally:
			self.closed = True


class _Log:
	"""Holds pages in memory, or fails."""

	def __init__(self, error: StoreError | None) -> None:
		self.accepted = 0
		self._error = error

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		if self._error is not None:
			raise self._error
		self.accepted += 1
		return Accepted(new=len(page.punches), known=0, unreadable=0)

	def load(self, device_serial: str) -> Cursor:
		return START

	def save(self, device_serial: str, cursor: Cursor) -> None:
		pass


class TestGathering(IntegrationTestCase):
	def _assert_all_of(self, terminal: _Terminal, gathered: list[Page]) -> None:
		for field in ("punches", "unreadable"):
			self.assertEqual(
				[row for page in gathered for row in getattr(page, field)],
				[row for page in terminal.pages for row in getattr(page, field)],
			)
		self.assertEqual(sum(page.read for page in gathered), 10 * len(terminal.pages))
		self.assertEqual(gathered[-1].cursor, terminal.pages[-1].cursor)

	def test_small_pages_become_large_ones(self) -> None:
		terminal = _Terminal(300)
		gathered = list(Gathering(terminal).fetch(START))
		self._assert_all_of(terminal, gathered)
		self.assertEqual([len(page.punches) for page in gathered], [875, 875, 350])
		self.assertEqual({page.expected for page in gathered}, {3000})
		self.assertEqual(Gathering(terminal).serial, "ABT")

	def test_what_came_before_an_error_comes_before_it(self) -> None:
		terminal, gathered = _Terminal(3, DeviceError(Code.TIMEOUT, retryable=True)), []
		with self.assertRaises(DeviceError):
			for page in Gathering(terminal).fetch(START):
				gathered.append(page)  # noqa: PERF402  # the error comes in the middle
		self._assert_all_of(terminal, gathered)

	def test_a_slow_terminal_is_not_waited_for(self) -> None:
		terminal = _Terminal(4)
		with patch.object(gathering, "ENOUGH_SECONDS", 0):
			self.assertEqual(list(Gathering(terminal).fetch(START)), terminal.pages)

	def test_the_terminal_is_read_ahead_and_not_too_far(self) -> None:
		terminal = _Terminal(20)
		with patch.object(gathering, "ENOUGH_PUNCHES", 1):
			pages = Gathering(terminal).fetch(START)
			self.assertEqual(next(pages), terminal.pages[0])
			self._assert_given(terminal, 1 + gathering.MOST_AHEAD)
			self.assertEqual(next(pages), terminal.pages[1])
			self._assert_given(terminal, 2 + gathering.MOST_AHEAD)
			pages.close()
		self._assert_given(terminal, 2 + gathering.MOST_AHEAD)
		self.assertTrue(terminal.closed)

	def _assert_given(self, terminal: _Terminal, pages: int) -> None:
		"""The terminal has given so many pages, and gives no more."""
		until = time.monotonic() + 5
		while terminal.given < pages and time.monotonic() < until:
			time.sleep(0.01)
		time.sleep(0.05)
		self.assertEqual(terminal.given, pages)

	def test_whoever_stops_leaves_no_thread(self) -> None:
		for error in (None, StoreError(Code.DISK_FULL, retryable=True)):
			terminal, log = _Terminal(20), _Log(error)
			with patch.object(gathering, "ENOUGH_PUNCHES", 1):
				try:
					report = pull("ABT", Gathering(terminal), log, log, stop=lambda: True)
					self.assertTrue(report.stopped)
				except StoreError as raised:
					self.assertIs(raised, error)
					self.assertTrue(terminal.closed)  # though the exception is still held
			self.assertTrue(terminal.closed)
			self.assertEqual(log.accepted, 0 if error else 1)
		self.assertNotIn("reads ahead", [thread.name for thread in threading.enumerate()])

	def test_any_error_of_the_reading_thread_is_the_readers(self) -> None:
		terminal, gathered = _Terminal(3, ZeroDivisionError()), []
		with self.assertRaises(ZeroDivisionError), patch.object(gathering, "ENOUGH_PUNCHES", 1):
			for page in Gathering(terminal).fetch(START):
				gathered.append(page)  # noqa: PERF402  # the error comes in the middle
		self.assertEqual(gathered, terminal.pages)
