"""One search of the event log, page by page.

Source of the rules: the capabilities of a DS-K1T terminal (30 rows a page, positions up to 300,000) and what
public clients found out the hard way: all pages of a search carry one searchID and advance by the rows that
came, not by those that were asked for; a page may be empty although MORE was announced.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.drivers.hikvision_isapi.events import (
	ResultPage,
	Row,
	RowReader,
	read_result_page,
)
from attendance_bridge.drivers.hikvision_isapi.place import Anchor

logger = logging.getLogger(__name__)

AskForEvents = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Sends one question to AcsEvent, returns the JSON object that answers it."""

Condition = Mapping[str, str | int]
"""What a search asks for besides the kind of event: startTime, endTime, beginSerialNo."""

_REFUSED_CONTENT = (4, 5, 6)
"""`statusCode` of a terminal that does not like the question: invalid operation, format, content."""


class End(Enum):
	"""Why a search gave no further page."""

	COMPLETE = "complete"
	CONTRADICTED = "contradicted"
	"""Empty pages before the announced total: the terminal may have dropped the search."""
	CAPPED = "capped"
	"""The terminal numbers no further positions; the rest needs another search."""


@dataclass(frozen=True, slots=True)
class Batch:
	"""The rows of one page, and where they lie in their search."""

	rows: tuple[Row, ...]
	position: int
	total: int | None
	end: End | None
	"""None if the search goes on."""


class Searcher:
	"""Runs searches, and breaks off when a reading takes more than `max_pages` requests."""

	def __init__(
		self,
		ask: AskForEvents,
		*,
		major: int,
		minor: int,
		page_size: int,
		last_position: int,
		reader: RowReader,
		widest: Condition,
		max_pages: int,
	) -> None:
		"""
		:param major: 0 asks for every major type.
		:param minor: 0 asks for every minor type.
		:param last_position: the highest position that the terminal knows in one search.
		:param widest: startTime and endTime for a terminal that insists on them.
		"""
		self._ask = ask
		self._kind = {"major": major, "minor": minor}
		self._page_size = page_size
		self._last_position = last_position
		self._reader = reader
		self._widest = widest
		self._max_pages = max_pages
		self._pages = 0
		self._needs_times = False

	def search(
		self, condition: Condition, *, position: int = 0, anchor: Anchor | None = None
	) -> Iterator[Batch]:
		"""Every page from `position` on; the last one carries the `end`.

		:param anchor: a row read earlier, which says in which pass of a repeated hour it lay.
		:raises DeviceError: also GARBAGE for a terminal that gives the same page for ever, and TOO_LARGE
			(retryable) after `max_pages` requests.
		"""
		search_id = str(uuid.uuid4())
		before: ResultPage | None = None
		end: End | None = None
		while end is None:
			page = self._ask_for_page(search_id, condition, position)
			if not page.rows and position < (page.total or 0):
				# An empty page in the middle: some firmware has the rows when it is asked once more.
				page = self._ask_for_page(search_id, condition, position)
			if before is not None and _is_repetition(page, before):
				raise DeviceError(Code.GARBAGE, reason="the same page for two positions")
			end = self._end_after(page, position)
			yield Batch(self._read(page, anchor), position, page.total, end)
			position += len(page.rows)
			before = page

	def _end_after(self, page: ResultPage, position: int) -> End | None:
		following = position + len(page.rows)
		if page.ends_at(following):
			contradicted = page.total is not None and following < page.total
			return End.CONTRADICTED if contradicted else End.COMPLETE
		return End.CAPPED if following > self._last_position else None

	def _read(self, page: ResultPage, anchor: Anchor | None) -> tuple[Row, ...]:
		rows = []
		for record in page.rows:
			row = self._reader.read(record)
			if anchor is not None and anchor.is_row(row):
				self._reader.resume_in(anchor.fold)
			rows.append(row)
		return tuple(rows)

	def _ask_for_page(self, search_id: str, condition: Condition, position: int) -> ResultPage:
		self._pages += 1
		if self._pages > self._max_pages:
			raise DeviceError(Code.TOO_LARGE, retryable=True, pages=self._max_pages)
		question = {
			"searchID": search_id,
			"searchResultPosition": position,
			"maxResults": self._page_size,
			**self._kind,
			"timeReverseOrder": False,
			**(self._widest if self._needs_times else {}),
			**condition,
		}
		try:
			return read_result_page(self._ask({"AcsEventCond": question}))
		except DeviceError as error:
			if self._needs_times or error.details.get("status_code") not in _REFUSED_CONTENT:
				raise
			if "startTime" in condition:
				raise
		logger.info("the terminal wants to be given times; asking for the widest range")
		self._needs_times = True
		return self._ask_for_page(search_id, condition, position)


def _is_repetition(page: ResultPage, before: ResultPage) -> bool:
	"""Whether a terminal that ignores the position sent its page again: the same numbered rows."""
	numbered = all(isinstance(row, dict) and "serialNo" in row for row in page.rows)
	return bool(page.rows) and numbered and page.rows == before.rows
