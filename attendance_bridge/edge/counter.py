"""Asks terminals how many punches they hold, for a site that compares: by whoever has just read them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.relay import CountReport, CountWish
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device

logger = logging.getLogger(__name__)


class Counter:
	"""The wishes of a site, and what terminals have answered. A terminal is asked once for each."""

	def __init__(self, reader: TerminalReader) -> None:
		self._reader = reader
		self._lock = threading.Lock()
		self._wishes: dict[str, CountWish] = {}
		self._reports: dict[str, CountReport] = {}

	def obey(self, wishes: Sequence[CountWish], names: Mapping[str, str]) -> list[str]:
		"""Take over what the site wants now; returns our names of the terminals that are to be read for it.

		:param names: the site's name of each relayed terminal → ours.
		"""
		with self._lock:
			before = self._wishes
			self._wishes = {names[wish.name]: wish for wish in wishes if wish.name in names}
			self._reports = {
				name: report
				for name, report in self._reports.items()
				if name in self._wishes and self._wishes[name].token == report.token
			}
			return [name for name, wish in self._wishes.items() if before.get(name) != wish]

	@property
	def reports(self) -> Mapping[str, CountReport]:
		"""By our names."""
		with self._lock:
			return dict(self._reports)

	def after_pull(self, device: Device) -> None:
		"""The terminal was read to its end: ask it, if the site wants to know. What fails waits for the next.

		:raises StoreError: what it gave when it was read again could not be held.
		"""
		name = device.settings.name
		with self._lock:
			wish = self._wishes.get(name)
			if wish is None or name in self._reports:
				return
		try:
			report = self._reader.count(device, wish)
		except DeviceError as error:
			logger.warning("%s: its punches are not counted (%s)", name, error.code.value)
			return
		with self._lock:
			if self._wishes.get(name) == wish:
				self._reports[name] = report
