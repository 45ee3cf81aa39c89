"""Small pages of a terminal, gathered into larger ones: each page that is held costs a commit to the disk.

A Hikvision terminal gives 30 rows at a time, most of them the noise of its door. Nothing is promised away by
it: a gathered page is held, and then the cursor moves past all of it, as with any other page.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import Driver, Page, Window
from attendance_bridge.core.errors import DeviceError

ENOUGH_PUNCHES = 1000
ENOUGH_SECONDS = 1.0
"""Whoever watches a pull sees it move, and what a slow terminal has given is not waited with."""


class Gathering:
	"""A driver whose pages come gathered; in everything else the driver itself."""

	def __init__(self, driver: Driver) -> None:
		self._driver = driver

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		"""As `Driver.fetch`. What came before a DeviceError is given before the error is raised."""
		gathered: list[Page] = []
		began = time.monotonic()
		failure: DeviceError | None = None
		try:
			for page in self._driver.fetch(cursor, window):
				gathered.append(page)
				if _enough(gathered) or time.monotonic() - began >= ENOUGH_SECONDS:
					yield _one_of(gathered)
					gathered, began = [], time.monotonic()
		except DeviceError as error:
			failure = error
		if gathered:
			yield _one_of(gathered)
		if failure is not None:
			raise failure


def _enough(pages: list[Page]) -> bool:
	return sum(len(page.punches) + len(page.unreadable) for page in pages) >= ENOUGH_PUNCHES


def _one_of(pages: list[Page]) -> Page:
	if len(pages) == 1:
		return pages[0]
	return replace(
		pages[-1],
		punches=tuple(punch for page in pages for punch in page.punches),
		unreadable=tuple(row for page in pages for row in page.unreadable),
		read=sum(page.read for page in pages),
	)
