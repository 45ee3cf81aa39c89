"""What is wrong at this agent and what to do, as one list: by the rules that a site's alerts go by too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from attendance_bridge.core import causes
from attendance_bridge.core.causes import DeviceFacts, Filling, Finding, Limits
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.projection import State
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.edge.board import problem
from attendance_bridge.edge.messages import PEOPLE_TROUBLE, TROUBLE_ADVICE, sentence, spell_trouble
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord
from attendance_bridge.stores.punches import PunchStore

_OF_A_FILE = frozenset({Code.UNREADABLE_FILE, Code.MISSING_KEY, Code.BAD_VALUE})
"""What the local ledger raises about its list of people: no site is dark, and check-ins go on."""


class Troubles:
	"""Looks on demand; every query is bounded."""

	def __init__(
		self,
		*,
		devices: Callable[[], tuple[Device, ...]],
		book: DeviceBook,
		punches: PunchStore,
		upstream_error: Callable[[], UpstreamError | None],
		folder: Path,
		limits: Limits,
		now: Now,
	) -> None:
		"""
		:param folder: where the agent holds its punches.
		"""
		self._devices = devices
		self._book = book
		self._punches = punches
		self._upstream_error = upstream_error
		self._folder = folder
		self._limits = limits
		self._now = now
		self._started_at = now()

	def view(self) -> list[dict[str, str]]:
		"""`cause`, `what` and `advice` of each trouble; nothing if all is well."""
		now, records = self._now(), {record.name: record for record in self._book.all()}
		found: list[dict[str, str]] = []
		error = self._upstream_error()
		if error is not None:
			found += _of_upstream(error)
		for device in self._devices():
			if device.settings.enabled and device.settings.driver != EDGE_CAMERA:
				record = records.get(device.settings.name, DeviceRecord(name=device.settings.name))
				found += self._of_device(device, record, now)
		counts = self._punches.counts()
		waiting = counts[State.RECEIVED] + counts[State.PENDING]
		found += [_told(finding) for finding in causes.of_backlog(waiting, self._limits)]
		found += [_told(finding) for finding in causes.of_disk(free_bytes(self._folder), self._limits)]
		return found

	def _of_device(self, device: Device, record: DeviceRecord, now: datetime) -> list[dict[str, str]]:
		findings = causes.of_device(_facts(device, record, self._started_at), self._limits, now)
		return [_told(finding, problem(record, now)) for finding in findings]


def _of_upstream(error: UpstreamError) -> list[dict[str, str]]:
	if error.code in _OF_A_FILE:
		return [{"cause": "people_list", "what": PEOPLE_TROUBLE, "advice": sentence(error)}]
	return [_told(finding, sentence(error)) for finding in causes.of_site(error.code.value)]


def _facts(device: Device, record: DeviceRecord, started_at: datetime) -> DeviceFacts:
	return DeviceFacts(
		name=device.settings.name,
		# It could not be asked while the agent was off.
		expected_since=started_at,
		last_contact=record.last_seen_at,
		poll_every=timedelta(seconds=device.settings.poll_seconds),
		error_code=record.last_error_code,
		clock_offset=record.clock_offset,
		filling=Filling(held=record.punches_held or 0, capacity=record.punch_capacity or 0),
	)


def _told(finding: Finding, more: str = "") -> dict[str, str]:
	"""
	:param more: what the last error says; it stands in for the advice where it is the cause.
	"""
	explained = more and finding.cause in (
		causes.Cause.DEVICE_DARK,
		causes.Cause.WRONG_PASSWORD,
		causes.Cause.WRONG_DEVICE,
		causes.Cause.SITE_UNREACHABLE,
	)
	return {
		"cause": finding.cause.value,
		"what": spell_trouble(finding),
		"advice": more if explained else TROUBLE_ADVICE.get(finding.cause, ""),
	}


def free_bytes(folder: Path) -> int | None:
	"""How much room is left; None if nobody can tell."""
	try:
		return shutil.disk_usage(folder).free
	except OSError:
		return None
