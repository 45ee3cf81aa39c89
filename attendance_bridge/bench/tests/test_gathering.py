"""Pages of a terminal, gathered: nothing left out, nothing out of order, nothing kept back by an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import patch

from attendance_bridge.bench import gathering
from attendance_bridge.bench.gathering import Gathering
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import terminals
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Page, UnreadableRow, Window
from attendance_bridge.core.errors import Code, DeviceError

MONDAY = datetime(2026, 3, 2)


class _Terminal:
	"""Gives pages of seven punches and one unreadable record, then perhaps an error."""

	serial = "ABT"

	def __init__(self, pages: int, error: DeviceError | None = None) -> None:
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
		yield from self.pages
		if self._error:
			raise self._error


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
