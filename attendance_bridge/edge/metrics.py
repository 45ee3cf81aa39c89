"""What Prometheus reads: the state of the stores at the moment of asking, not counters kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from attendance_bridge.core.driver import Now
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore

PREFIX = "attendance_bridge"


class StoreCollector(Collector):
	def __init__(
		self,
		*,
		devices: Callable[[], Collection[str]],
		punches: PunchStore,
		outbox: SqliteOutbox,
		cursors: SqliteCursors,
		book: DeviceBook,
		workers: Callable[[], Mapping[str, WorkerState]],
		upstream_up: Callable[[], bool],
		now: Now,
	) -> None:
		"""
		:param devices: the names of those that are configured; the book knows earlier ones too.
		"""
		self._devices = devices
		self._punches = punches
		self._outbox = outbox
		self._cursors = cursors
		self._book = book
		self._workers = workers
		self._upstream_up = upstream_up
		self._now = now

	def collect(self) -> Iterator[GaugeMetricFamily]:
		yield from self._punch_metrics()
		yield from self._outbox_metrics()
		yield from self._device_metrics()
		yield from self._worker_metrics()

	def _punch_metrics(self) -> Iterator[GaugeMetricFamily]:
		held = _gauge("punches", "Punches held, by device serial and state.", ["serial", "state"])
		for serial, counts in self._punches.counts_by_device().items():
			for state, number in counts.items():
				held.add_metric([serial, state.value], number)
		yield held
		unreadable = _gauge("unreadable_rows", "Records that could not be read as punches.")
		unreadable.add_metric([], self._punches.unreadable_count())
		yield unreadable

	def _outbox_metrics(self) -> Iterator[GaugeMetricFamily]:
		backlog = self._outbox.backlog(self._now())
		waiting = _gauge("outbox", "Check-ins that are not delivered yet, by kind.", ["kind"])
		waiting.add_metric(["waiting"], backlog.waiting)
		waiting.add_metric(["due"], backlog.due)
		waiting.add_metric(["in_doubt"], backlog.in_doubt)
		yield waiting
		up = _gauge("upstream_up", "1 while the upstream takes what it is sent.")
		up.add_metric([], float(self._upstream_up()))
		yield up

	def _device_metrics(self) -> Iterator[GaugeMetricFamily]:
		up = _gauge("device_up", "1 if the last contact with a device succeeded.", ["device", "serial"])
		seen = _gauge("device_last_seen_timestamp_seconds", "Last contact.", ["device", "serial"])
		offset = _gauge("device_clock_offset_seconds", "How far its clock is ahead.", ["device", "serial"])
		watermark = _gauge(
			"device_watermark_timestamp_seconds", "Every punch up to here is held.", ["device", "serial"]
		)
		watermarks, devices = self._cursors.watermarks(), self._devices()
		for record in self._book.all():
			if record.name not in devices:
				continue
			labels = [record.name, record.serial]
			up.add_metric(labels, float(bool(record.serial) and not record.last_error_code))
			if record.last_seen_at is not None:
				seen.add_metric(labels, record.last_seen_at.timestamp())
			if record.clock_offset is not None:
				offset.add_metric(labels, record.clock_offset.total_seconds())
			if record.serial in watermarks:
				watermark.add_metric(labels, watermarks[record.serial].timestamp())
		yield from (up, seen, offset, watermark)

	def _worker_metrics(self) -> Iterator[GaugeMetricFamily]:
		running = _gauge("worker_running", "1 while a duty of the agent runs.", ["worker"])
		for name, state in self._workers().items():
			running.add_metric([name], float(state is WorkerState.RUNNING))
		yield running


def _gauge(name: str, help: str, labels: list[str] | None = None) -> GaugeMetricFamily:
	return GaugeMetricFamily(f"{PREFIX}_{name}", help, labels=labels or [])


def make_registry(*collectors: Collector) -> CollectorRegistry:
	"""A registry of our own: an agent in a test must not share the process-wide one with another."""
	registry = CollectorRegistry()
	for collector in collectors:
		registry.register(collector)
	for standard in (ProcessCollector, PlatformCollector, GCCollector):
		standard(registry=registry)
	return registry
