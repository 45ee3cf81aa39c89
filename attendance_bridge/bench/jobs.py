"""What runs in the background: reading terminals, carrying punches on, the nightly look for gaps."""

from __future__ import annotations

import logging

import frappe

from attendance_bridge.bench import (
	alerts,
	background,
	counting,
	devices,
	gaps,
	listener,
	moments,
	pairing,
	push_clock,
	push_commands,
	push_watch,
	relayed_counts,
	shifts,
	sync_runs,
	terminal,
)
from attendance_bridge.bench.deciding import settle_received
from attendance_bridge.bench.sync_runs import SyncRun
from attendance_bridge.bench.workdays import due
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import BridgeError, StoreError
from attendance_bridge.core.pull import PullReport

logger = logging.getLogger(__name__)


def tick() -> None:
	"""Scheduled every minute or so: queue a pull for each terminal that is due, and what a lost job left."""
	sync_runs.close_abandoned()
	for device in devices.due(moments.utc_now()):
		background.queue_pull(device, "Scheduler")
	if _something_waits():
		background.queue_carry_on()
	if due.something_is_due():
		background.queue_count_days()
	listener.watch()
	push_clock.restart_stale()
	if push_watch.vouch():
		shifts.move_all()


def clean_up() -> None:
	"""Scheduled daily: forget terminals that nobody let in, and commands that nobody fetched."""
	pairing.clean_up()
	push_commands.expire()


def reconcile() -> None:
	"""Scheduled nightly: queue a look for gaps at each terminal that is enabled and read from here.

	Those that push are asked how much they hold, and agents are to count those that they relay.
	"""
	for device in frappe.get_all("Device Configuration", filters=devices.READ_FROM_HERE, pluck="name"):
		background.queue_reconcile(device)
	push_watch.ask_counts()
	relayed_counts.ask()


def pull_device(device: str, trigger: str, sync_log: str | None = None) -> str:
	"""Read one terminal and carry its punches on; returns the name of its Device Sync Log.

	What can go wrong with a terminal is written down there and on the Device Configuration, not raised.

	:param trigger: Scheduler, Fetch Check-in, Reconcile or Agent.
	:param sync_log: the Device Sync Log that was made when the run was queued, with its range and its caller.
	"""
	run = SyncRun.resume(sync_log) if sync_log else SyncRun.begin(device, trigger)
	_run(run, run.window(moments.zone_of(device)))
	return run.name


def reconcile_device(device: str) -> str | None:
	"""Compare what a terminal holds with what is here, and read again where something may be missing.

	:returns: the name of the Device Sync Log, or None if nothing is missing.
	"""
	if devices.left_alone(device, at=moments.utc_now()) is not None:
		return None
	counted = _count(device)
	if counted is None:
		return None
	counting.keep(device, counted)
	if counted.window is None:
		return None
	run = SyncRun.begin(device, "Reconcile", window=counted.window)
	_run(run, counted.window)
	read_again = run.records_read()
	if read_again is not None:
		again = _count(device)
		if again is not None:
			counting.explain(device, again, read_again)
	return run.name


def _count(device: str) -> gaps.Count | None:
	"""How much a terminal holds and how much of it is here; None if it cannot be asked."""
	try:
		return gaps.count(device)
	except BridgeError as error:
		_failed(device, error)
		return None


def carry_on(run: SyncRun | None = None) -> None:
	"""Decide what was received, make the check-ins, move the shifts. Commits batch by batch."""
	settle_received(run.on_settled if run else lambda settled: None)
	shifts.move_all()


def _run(run: SyncRun, window: Window | None) -> None:
	try:
		_pull(run, window)
	except Exception:
		frappe.db.rollback()
		run.end_with_fault()
		raise


def _pull(run: SyncRun, window: Window | None) -> None:
	error: BridgeError | None = devices.left_alone(run.device, at=moments.utc_now())
	report: PullReport | None = None
	if error is None:
		try:
			report = terminal.read(run.device, window=window, on_page=run.on_page, stop=run.was_stopped)
			error = report.error
		except BridgeError as caught:
			error = caught
		if error is not None:
			_failed(run.device, error)
	# What was held before an error is carried on all the same.
	if report is not None and report.pages:
		run.read(report)
		carry_on(run)
	run.end(error, stopped=report is not None and report.stopped)
	alerts.look_at(run.device)


def _failed(device: str, error: BridgeError) -> None:
	logger.warning("%s: %s", device, error)
	if isinstance(error, StoreError) or "by_us" in error.details:
		return  # our own trouble is no reason to leave the terminal alone
	devices.failed(device, error, at=moments.utc_now())
	# The breaker must hold, whatever becomes of this job: terminals lock accounts.
	frappe.db.commit()  # nosemgrep


def _something_waits() -> bool:
	return bool(frappe.db.exists("Punch Log", {"status": ("in", ("Received", "Pending"))}))
