"""What runs in the background: reading terminals, carrying punches on, the nightly look for gaps."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import devices, moments, shifts, sync_runs, terminal
from attendance_bridge.bench.checkins import deliver_pending
from attendance_bridge.bench.deciding import decide_received
from attendance_bridge.bench.fetch_request import job_id
from attendance_bridge.bench.sync_runs import SyncRun
from attendance_bridge.core.driver import Capability, Driver, Window
from attendance_bridge.core.errors import BridgeError, DeviceError, StoreError
from attendance_bridge.core.pull import PullReport

logger = logging.getLogger(__name__)

LONGEST_PULL_SECONDS = 3600
"""A first read of a full terminal over a slow line, and its check-ins, with time to spare."""
RECONCILED_DAYS = 14
"""How far back the nightly look for gaps goes."""


def tick() -> None:
	"""Scheduled every minute or so: queue a pull for each terminal that is due, and what a lost job left."""
	sync_runs.close_abandoned()
	for device in devices.due(moments.utc_now()):
		queue_pull(device, "Scheduler")
	if _something_waits():
		queue_carry_on()


def reconcile() -> None:
	"""Scheduled nightly: queue a look for gaps at each terminal that is enabled and read from here."""
	for device in frappe.get_all(
		"Device Configuration", filters={"enabled": 1, "edge_agent": ("is", "not set")}, pluck="name"
	):
		frappe.enqueue(
			reconcile_device,
			queue="long",
			timeout=LONGEST_PULL_SECONDS,
			# The same name as a pull: never two conversations with one terminal.
			job_id=job_id(device),
			deduplicate=True,
			enqueue_after_commit=True,
			device=device,
		)


def queue_pull(device: str, trigger: str, **arguments: Any) -> None:
	"""Queue `pull_device` once the transaction is committed, unless one for this terminal waits or runs."""
	frappe.enqueue(
		pull_device,
		queue="long",
		timeout=LONGEST_PULL_SECONDS,
		job_id=job_id(device),
		deduplicate=True,
		enqueue_after_commit=True,
		device=device,
		trigger=trigger,
		**arguments,
	)


def queue_carry_on() -> None:
	"""Queue `carry_on` once the transaction is committed."""
	frappe.enqueue(
		carry_on,
		queue="long",
		timeout=LONGEST_PULL_SECONDS,
		job_id="attendance_bridge:carry_on",
		deduplicate=True,
		enqueue_after_commit=True,
	)


def pull_device(
	device: str,
	trigger: str,
	from_date: str | date | None = None,
	to_date: str | date | None = None,
	requested_by: str | None = None,
	sync_log: str | None = None,
) -> str:
	"""Read one terminal and carry its punches on; returns the name of its Device Sync Log.

	What can go wrong with a terminal is written down there and on the Device Configuration, not raised.

	:param trigger: Scheduler, Fetch Check-in, Reconcile or Agent.
	:param from_date: read only from this day on, by the wall at the terminal; the cursor is left alone.
	:param to_date: and up to this day, included; today if only `from_date` is given.
	:param requested_by: the User who gets the progress.
	:param sync_log: the Device Sync Log that was made when the run was queued; its range and its caller
		count then, and the arguments before it do not.
	"""
	if sync_log:
		run = SyncRun.resume(sync_log)
		window = run.window(_zone(device))
	else:
		window = _window(device, from_date, to_date)
		run = SyncRun.begin(device, trigger, window=window, user=requested_by)
	try:
		_pull(device, run, window)
	except Exception:
		frappe.db.rollback()
		run.end_with_fault()
		raise
	return run.name


def reconcile_device(device: str) -> str | None:
	"""Compare a terminal's own count with what is held, day by day, and read again where some are missing.

	:returns: the name of the Device Sync Log, or None if nothing was missing or the terminal cannot count.
	"""
	if devices.left_alone(device, at=moments.utc_now()) is not None:
		return None
	try:
		gap = _find_gap(device)
	except DeviceError as error:
		_failed(device, error)
		return None
	if gap is None:
		return None
	run = SyncRun.begin(device, "Reconcile", window=gap)
	try:
		_pull(device, run, gap)
	except Exception:
		frappe.db.rollback()
		run.end_with_fault()
		raise
	return run.name


def carry_on(run: SyncRun | None = None) -> None:
	"""Decide what was received, make the check-ins, move the shifts. Commits batch by batch."""
	decide_received()
	deliver_pending(run.on_settled if run else lambda settled: None)
	shifts.move_all()


def _pull(device: str, run: SyncRun, window: Window | None) -> None:
	error: BridgeError | None = devices.left_alone(device, at=moments.utc_now())
	report: PullReport | None = None
	if error is None:
		try:
			report = terminal.read(device, window=window, on_page=run.on_page, stop=run.was_stopped)
			error = report.error
		except BridgeError as caught:
			error = caught
		if error is not None:
			_failed(device, error)
	# What was held before an error is carried on all the same.
	if report is not None and report.pages:
		run.read(report)
		carry_on(run)
	run.end(error, stopped=report is not None and report.stopped)


def _failed(device: str, error: BridgeError) -> None:
	logger.warning("%s: %s", device, error)
	if isinstance(error, StoreError):
		return  # our own trouble is no reason to leave the terminal alone
	devices.failed(device, error, at=moments.utc_now())
	# The breaker must hold, whatever becomes of this job: terminals lock accounts.
	frappe.db.commit()  # nosemgrep


def _find_gap(device: str) -> Window | None:
	"""The days, as one window, on which a terminal holds more punches than we do."""
	with devices.open_driver(device, moments.utc_now) as driver:
		if Capability.COUNT not in driver.spec.capabilities:
			return None
		serial = terminal.meet(device, driver).info.serial
		missing = [day for day in _last_days(device) if _is_missing_some(driver, serial, day)]
	return Window(start=missing[0].start, end=missing[-1].end) if missing else None


def _is_missing_some(driver: Driver, serial: str, window: Window) -> bool:
	there = driver.count(window)
	if not there:
		return False
	span = (serial, moments.to_utc(window.start), moments.to_utc(window.end))
	(here,) = frappe.db.sql(
		"SELECT COUNT(*) FROM `tabPunch Log`"
		" WHERE `device_serial` = %s AND `occurred_utc` >= %s AND `occurred_utc` < %s",
		span,
	)[0]
	return there > here


def _last_days(device: str) -> list[Window]:
	zone = _zone(device)
	today = moments.utc_now().astimezone(zone).date()
	return [
		Window(
			start=_midnight(today - timedelta(days=ago), zone),
			end=_midnight(today - timedelta(days=ago - 1), zone),
		)
		for ago in range(RECONCILED_DAYS, 0, -1)
	]


def _window(device: str, from_date: str | date | None, to_date: str | date | None) -> Window | None:
	if not from_date and not to_date:
		return None
	zone = _zone(device)
	today = moments.utc_now().astimezone(zone).date()
	first, last = getdate(from_date or to_date), getdate(to_date or today)
	return Window(start=_midnight(first, zone), end=_midnight(last + timedelta(days=1), zone))


def _zone(device: str) -> ZoneInfo:
	return ZoneInfo(frappe.db.get_value("Device Configuration", device, "time_zone"))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
	return datetime.combine(day, time.min, zone)


def _something_waits() -> bool:
	return bool(frappe.db.exists("Punch Log", {"status": ("in", ("Received", "Pending"))}))
