"""Tells a site how the relayed terminals are, and learns from it which ones to read, and when."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.driver import Now
from attendance_bridge.core.projection import State
from attendance_bridge.core.relay import (
	CountReport,
	DecidingUpstream,
	DeviceReport,
	DeviceTrouble,
	Heartbeat,
	LiveReport,
	PostsReport,
)
from attendance_bridge.edge.counter import Counter
from attendance_bridge.edge.errand import Errand
from attendance_bridge.edge.listener import Live
from attendance_bridge.edge.messages import spell_offset
from attendance_bridge.edge.poller import Poller
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.scanner import Scanner
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.edge.vouching import vouched
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
PAUSE = timedelta(seconds=2)
"""Between two heartbeats at least, however many terminals have something to tell."""
UNREADABLE_AT_ONCE = 500
UNKNOWN_DEVICE = "unknown_device"
"""Why the site puts off punches of a terminal that nobody has assigned to us."""


class HeartbeatWorker(Errand):
	"""The one thread that talks with the site about terminals."""

	name = "heartbeat"

	def __init__(
		self,
		*,
		upstream: DecidingUpstream,
		terminals: Terminals,
		poller: Poller,
		reader: TerminalReader,
		punches: PunchStore,
		outbox: SqliteOutbox,
		cursors: SqliteCursors,
		book: DeviceBook,
		wake_uploader: Callable[[], None],
		scanner: Scanner,
		live: Callable[[], Mapping[str, Live]],
		counter: Counter,
		posts: Callable[[], Mapping[str, PostsReport]] = dict,
		now: Now,
		pulse: Pulse,
		free_bytes: Callable[[], int | None] = lambda: None,
		chance: Callable[[], float] = random.random,
	) -> None:
		super().__init__(now, chance)
		self._upstream = upstream
		self._terminals = terminals
		self._poller = poller
		self._reader = reader
		self._punches = punches
		self._outbox = outbox
		self._cursors = cursors
		self._book = book
		self._wake_uploader = wake_uploader
		self._scanner = scanner
		self._live = live
		self._counter = counter
		self._posts = posts
		self._pulse = pulse
		self._free_bytes = free_bytes
		self._told_serials: frozenset[str] = frozenset()
		self._clock_is_off = False
		self.clock_offset = timedelta(0)
		"""How far this machine's clock is ahead of the site's, by the last heartbeat."""

	def _pause(self) -> timedelta:
		return PAUSE if self._news.is_set() else EVERY

	def _do(self) -> None:
		"""One heartbeat with all that follows from it."""
		if not self._terminals.assigned.revision:
			self._fetch_terminals()
		self._beat()
		self._tell_unreadable()

	def _fetch_terminals(self) -> None:
		assignment = self._upstream.devices()
		rules = assignment.rules
		tolerance = timedelta(seconds=rules.clock_tolerance_seconds)
		bound = rules.largest_correction_seconds
		self._reader.go_by(
			ClockRules(tolerance=tolerance),
			correct_clocks=rules.correct_clocks,
			largest=timedelta.max if bound is None else timedelta(seconds=bound),
		)
		assigned = self._terminals.assign(assignment, self._book.serials())
		for device in assigned.devices:
			self._reader.enter(device)
		self._poller.replace(self._terminals.enabled)
		logger.info("the site has %d terminals for this agent", len(assignment.devices))
		if self._outbox.hurry(UNKNOWN_DEVICE):
			self._wake_uploader()
		self._pulse.beat()

	def _beat(self) -> None:
		beat = self._heartbeat()
		orders = self._upstream.heartbeat(beat)
		self._scanner.obey(orders.scan)
		self._compare_clocks(orders.now)
		self._told_serials = frozenset(report.serial for report in beat.devices if report.serial)
		if orders.revision != self._terminals.assigned.revision:
			self._fetch_terminals()
		names = self._terminals.assigned.names
		for wanted in orders.read_now:
			if wanted in names:
				self._poller.hurry(names[wanted])
		for name in self._counter.obey(orders.counts, names):
			self._poller.hurry(name)

	def _heartbeat(self) -> Heartbeat:
		# In this order: what comes in between the two may hold a watermark back, never let it pass.
		watermarks = self._cursors.watermarks()
		waiting_since = self._punches.waiting_since()
		counts = self._punches.counts()
		records = {record.name: record for record in self._book.all()}
		assigned, live, posts = self._terminals.assigned, self._live(), self._posts()
		counted = self._counter.reports
		reports = [
			_report(
				name,
				records[ours],
				vouched(records[ours].serial, watermarks, waiting_since),
				live.get(ours),
				posts.get(ours),
				counted.get(ours),
			)
			for name, ours in assigned.names.items()
			if ours in records
		]
		for name, error in assigned.unusable.items():
			trouble = DeviceTrouble(code=error.code.value, at=self._now(), failures=1, open_until=None)
			reports.append(DeviceReport(name=name, trouble=trouble))
		return Heartbeat(
			waiting=counts[State.RECEIVED] + counts[State.PENDING],
			oldest_waiting=min(waiting_since.values(), default=None),
			revision=assigned.revision,
			disk_free_bytes=self._free_bytes(),
			devices=tuple(reports),
			found=self._scanner.report,
		)

	def _tell_unreadable(self) -> None:
		"""Of terminals that the site knows by now: only those are sure to be taken."""
		for serial in self._told_serials:
			while records := self._punches.untold(serial, UNREADABLE_AT_ONCE):
				self._upstream.hold_unreadable([(serial, record) for record in records])
				self._punches.mark_told(serial, records)

	def _compare_clocks(self, site_now: datetime) -> None:
		offset = self.clock_offset = self._now() - site_now
		was_off, self._clock_is_off = self._clock_is_off, abs(offset) > timedelta(minutes=1)
		if self._clock_is_off and not was_off:
			logger.warning(
				"this machine's clock is %s by the site's; terminals are judged by it", spell_offset(offset)
			)


def _report(
	name: str,
	record: DeviceRecord,
	watermark: datetime | None,
	live: Live | None,
	posts: PostsReport | None,
	counted: CountReport | None,
) -> DeviceReport:
	offset = record.clock_offset
	return DeviceReport(
		name=name,
		serial=record.serial,
		model=record.model,
		firmware=record.firmware,
		last_contact=record.last_seen_at,
		last_pull=record.last_pull_at,
		watermark=watermark,
		clock_offset_seconds=None if offset is None else offset.total_seconds(),
		clock_good_until=record.clock_good_until,
		punches_held=record.punches_held,
		punch_capacity=record.punch_capacity,
		trouble=_trouble(record),
		live=None if live is None else _live(live),
		posts=posts,
		counted=counted,
	)


def _live(live: Live) -> LiveReport:
	return LiveReport(standing=live.standing.value, since=live.since, event_at=live.event_at, gaps=live.gaps)


def _trouble(record: DeviceRecord) -> DeviceTrouble | None:
	if not record.last_error_code or record.last_error_at is None:
		return None
	return DeviceTrouble(
		code=record.last_error_code,
		at=record.last_error_at,
		failures=record.failures,
		open_until=record.open_until,
	)
