"""Small pages of a terminal, gathered into larger ones, and read ahead of whoever holds them.

Each page that is held costs a commit to the disk, and a Hikvision terminal gives 30 rows at a time, most of
them the noise of its door. Nothing is promised away by it: a gathered page is held, and then the cursor moves
past all of it, as with any other page. The terminal is asked on meanwhile, by a thread that touches nothing
but the driver.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import Driver, Page, Window
from attendance_bridge.core.errors import DeviceError

ENOUGH_PUNCHES = 1000
ENOUGH_SECONDS = 1.0
"""Whoever watches a pull sees it move, and what a slow terminal has given is not waited with."""
MOST_AHEAD = 2
"""Gathered pages that may wait to be held."""


class Gathering:
	"""A driver whose pages come gathered; in everything else the driver itself."""

	def __init__(self, driver: Driver) -> None:
		self._driver = driver

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		"""As `Driver.fetch`. What came before an error is given before the error is raised.

		Once it is closed, or has raised, nobody uses the driver any more.
		"""
		return _ahead(_gather(self._driver.fetch(cursor, window)))


def _gather(pages: Iterator[Page]) -> Generator[Page, None, None]:
	gathered: list[Page] = []
	rows, began = 0, time.monotonic()
	failure: DeviceError | None = None
	try:
		for page in pages:
			gathered.append(page)
			rows += len(page.punches) + len(page.unreadable)
			if rows >= ENOUGH_PUNCHES or time.monotonic() - began >= ENOUGH_SECONDS:
				yield _one_of(gathered)
				gathered, rows, began = [], 0, time.monotonic()
	except DeviceError as error:
		failure = error
	if gathered:
		yield _one_of(gathered)
	if failure is not None:
		raise failure


def _ahead(pages: Generator[Page, None, None]) -> Iterator[Page]:
	"""The same pages, and the same error, from a thread that is at most MOST_AHEAD pages ahead."""
	read: SimpleQueue[Page | BaseException | None] = SimpleQueue()
	room = threading.Semaphore(MOST_AHEAD - 1)
	over = threading.Event()

	def read_on() -> None:
		end: BaseException | None = None
		try:
			for page in pages:
				read.put(page)
				room.acquire()
				if over.is_set():
					break
		except BaseException as error:  # raised again where the pages are awaited
			end = error
		read.put(end)

	reader = threading.Thread(target=read_on, name="reads ahead", daemon=True)
	reader.start()
	try:
		while (page := read.get()) is not None:
			if isinstance(page, BaseException):
				raise page
			room.release()
			yield page
	finally:
		over.set()
		room.release()
		reader.join()  # as long as the terminal takes to answer what it was asked last
		pages.close()


def _one_of(pages: list[Page]) -> Page:
	if len(pages) == 1:
		return pages[0]
	return replace(
		pages[-1],
		punches=tuple(punch for page in pages for punch in page.punches),
		unreadable=tuple(row for page in pages for row in page.unreadable),
		read=sum(page.read for page in pages),
	)
