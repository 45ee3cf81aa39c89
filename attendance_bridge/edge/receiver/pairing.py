"""The pairing list: which terminals called that nobody knows, and what somebody decides about them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.driver import Now
from attendance_bridge.drivers.zkteco_adms.config import Config
from attendance_bridge.edge.settings import Device, DeviceSettings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.push import Caller, PairingState, PushBook

DRIVER = "zkteco_adms"
MAX_NAME = 140
MAX_PREFIX = 32
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,64}")
PROBLEMS = ("serial", "name", "name_taken", "zone", "role", "user_id_prefix")


class PairingError(Exception):
	"""What was said about a terminal cannot be used.

	:param problem: one of `PROBLEMS`.
	"""

	def __init__(self, problem: str) -> None:
		super().__init__(problem)
		self.problem = problem


class Pairing:
	"""Safe to use from any thread. Every method may raise `StoreError`."""

	def __init__(
		self,
		push_book: PushBook,
		terminals: Terminals,
		*,
		now: Now,
		enter: Callable[[Device], None] = lambda device: None,
	) -> None:
		"""
		:param enter: writes a terminal that was let in into the book of devices.
		"""
		self._book = push_book
		self._terminals = terminals
		self._now = now
		self._enter = enter
		self._paired: tuple[Device, ...] = ()
		self._reloading = threading.Lock()

	def callers(self) -> list[Caller]:
		"""Every terminal that called, those that wait first."""
		return self._book.all()

	def dropped(self, serial: str) -> dict[str, int]:
		"""What a terminal sent and nobody kept, by kind."""
		return self._book.dropped(serial)

	def reload(self) -> None:
		"""Go by what was decided, here or at the command line."""
		# One at a time: whoever has read the list before a decision must not have the last word.
		with self._reloading:
			self._reload()

	def _reload(self) -> None:
		approved = (caller for caller in self._book.all() if caller.state is PairingState.APPROVED)
		devices = tuple(
			sorted((device_of(caller) for caller in approved), key=lambda each: each.settings.serial)
		)
		if devices == self._paired:
			return
		for device in devices:
			if device not in self._paired:
				self._enter(device)
		self._paired = devices
		self._terminals.pair(devices)

	def approve(
		self, serial: str, *, name: str, zone: str, role: str, user_id_prefix: str, by: str, address: str = ""
	) -> None:
		"""Let a terminal in; its next call is answered.

		:raises PairingError: what was said cannot be used.
		"""
		name = name.strip()
		if not _SERIAL.fullmatch(serial):
			raise PairingError("serial")
		if not name or len(name) > MAX_NAME or not name.isprintable():
			raise PairingError("name")
		if any(
			device.settings.name == name and device.settings.serial != serial
			for device in self._terminals.all
		):
			raise PairingError("name_taken")
		if not _is_zone(zone):
			raise PairingError("zone")
		if role not in {each.value for each in DeviceRole}:
			raise PairingError("role")
		if len(user_id_prefix) > MAX_PREFIX or not user_id_prefix.isprintable():
			raise PairingError("user_id_prefix")
		self._book.approve(
			serial,
			name=name,
			zone=zone,
			role=DeviceRole(role),
			user_id_prefix=user_id_prefix,
			by=by,
			address=address,
			at=self._now(),
		)
		self.reload()

	def refuse(self, serial: str, *, by: str, address: str = "") -> bool:
		"""Turn a terminal away; False if it never called."""
		is_known = self._book.refuse(serial, by=by, address=address, at=self._now())
		self.reload()
		return is_known

	def forget(self, serial: str, *, by: str, address: str = "") -> bool:
		"""Take a terminal off the list; False if it is not on it. It may knock again."""
		is_known = self._book.forget(serial, by=by, address=address, at=self._now())
		self.reload()
		return is_known


def _is_zone(name: str) -> bool:
	try:
		ZoneInfo(name)
	except (ValueError, OSError, ZoneInfoNotFoundError):
		return False
	return bool(name)


def device_of(caller: Caller) -> Device:
	"""An approved terminal, as the configuration would have it."""
	settings = DeviceSettings(
		name=caller.name,
		driver=DRIVER,
		timezone=ZoneInfo(caller.zone),
		role=caller.role,
		user_id_prefix=caller.user_id_prefix,
		serial=caller.serial,
	)
	return Device(settings=settings, config=Config())
