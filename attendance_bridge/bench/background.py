"""What this app hands to Frappe's background workers. At most one pull a terminal waits or runs.

Jobs are named by their dotted paths, so that whoever queues them need not import what they do.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils.background_jobs import is_job_enqueued

LONGEST_PULL_SECONDS = 3600
"""A first read of a full terminal over a slow line, and its check-ins, with time to spare."""


def queue_pull(device: str, trigger: str, **arguments: Any) -> None:
	"""Queue `jobs.pull_device` once the transaction is committed, unless a job of this terminal is there."""
	# `deduplicate` alone would enter an error into Frappe's log every time.
	if not has_job(device):
		method = "attendance_bridge.bench.jobs.pull_device"
		_enqueue(method, _pull_id(device), device=device, trigger=trigger, **arguments)


def queue_reconcile(device: str) -> None:
	"""Queue `jobs.reconcile_device`, whether a pull is there or not: it waits for that one."""
	if not is_job_enqueued(_reconcile_id(device)):
		_enqueue("attendance_bridge.bench.jobs.reconcile_device", _reconcile_id(device), device=device)


def queue_rezone(device: str, former: str, zone: str) -> None:
	"""Queue `retiming.rezone` once the transaction is committed."""
	method = "attendance_bridge.bench.retiming.rezone"
	job_id = f"attendance_bridge:rezone:{device}:{former}:{zone}"
	_enqueue(method, job_id, device=device, former=former, zone=zone)


def queue_carry_on() -> None:
	"""Queue `jobs.carry_on` once the transaction is committed."""
	_enqueue("attendance_bridge.bench.jobs.carry_on", "attendance_bridge:carry_on")


def queue_count_days() -> None:
	"""Queue `workdays.counting.count_all` once the transaction is committed."""
	_enqueue("attendance_bridge.bench.workdays.counting.count_all", "attendance_bridge:count_days")


def queue_look_again(dates: list[str], employees: list[str] | None) -> None:
	"""Queue `anomalies.nightly.look_again` once the transaction is committed."""
	job_id = f"attendance_bridge:look_again:{frappe.generate_hash(length=10)}"
	method = "attendance_bridge.bench.anomalies.nightly.look_again"
	_enqueue(method, job_id, dates=dates, employees=employees)


def queue_hand_over(approval: str) -> None:
	"""Queue `overtime.paying.hand_over` once the transaction is committed."""
	method = "attendance_bridge.bench.overtime.paying.hand_over"
	_enqueue(method, f"attendance_bridge:hand_over:{approval}", name=approval)


def queue_judge(shift: str) -> None:
	"""Queue `anomalies.rejudging.judge` once the transaction is committed."""
	method = "attendance_bridge.bench.anomalies.rejudging.judge"
	_enqueue(method, f"attendance_bridge:judge:{shift}", shift=shift)


def has_job(device: str) -> bool:
	"""Whether a job of this terminal waits or runs. RQ gives up one whose worker was killed after minutes."""
	return bool(is_job_enqueued(_pull_id(device)) or is_job_enqueued(_reconcile_id(device)))


def _pull_id(device: str) -> str:
	# One name, whoever asked for it.
	return f"attendance_bridge:pull:{device}"


def _reconcile_id(device: str) -> str:
	return f"attendance_bridge:reconcile:{device}"


def _enqueue(method: str, job_id: str, **arguments: Any) -> None:
	frappe.enqueue(
		method,
		queue="long",
		timeout=LONGEST_PULL_SECONDS,
		job_id=job_id,
		deduplicate=True,
		enqueue_after_commit=True,
		**arguments,
	)
