"""Looks for terminals in a range of addresses: one that got another address is found by its serial number.

Only private ranges, at most so many addresses, so many a second, and never with a user's password. A terminal
that says nothing without a comm key is tried with those that other terminals here have, or else it is named
by its address alone.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from attendance_bridge import drivers
from attendance_bridge.core.driver import DeviceInfo, FindableDriver
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import redact
from attendance_bridge.core.relay import (
	MOST_FOUND,
	MOST_SCANNED_ADDRESSES,
	FoundTerminal,
	Scan,
	ScanReport,
)
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.devices import DeviceRecord

logger = logging.getLogger(__name__)

LARGEST_RANGE = 1024
"""Addresses of one range: a /22."""
PER_SECOND = 64
AT_ONCE = 32
PROBE_SECONDS = 1.5
LOOK_SECONDS = 0.2
"""How often to look whether to stop."""

_PRIVATE = tuple(
	ipaddress.ip_network(range_)
	for range_ in (
		"10.0.0.0/8",
		"172.16.0.0/12",
		"192.168.0.0/16",
		"100.64.0.0/10",
		"169.254.0.0/16",
		"127.0.0.0/8",
		"fc00::/7",
		"fe80::/10",
	)
)


def addresses_in(networks: Iterable[str]) -> list[str]:
	"""Every address of these ranges (CIDR), each once.

	:raises ConfigError: BAD_VALUE: one is none, is public, or they are too large.
	"""
	found: dict[str, None] = {}
	for text in networks:
		try:
			network = ipaddress.ip_network(text.strip(), strict=False)
		except ValueError:
			raise _refused("a range of addresses such as 192.168.1.0/24", text) from None
		if network.num_addresses > LARGEST_RANGE:
			raise _refused("a range of at most 1024 addresses, such as 192.168.0.0/22", text)
		if not any(network.version == each.version and network.subnet_of(each) for each in _PRIVATE):  # type: ignore[arg-type]  # of one version
			raise _refused("a private range: others are not looked through", text)
		found |= dict.fromkeys(map(str, network.hosts()))
		if len(found) > MOST_SCANNED_ADDRESSES:
			raise _refused(f"at most {MOST_SCANNED_ADDRESSES} addresses together", text)
	return list(found)


def _refused(expected: str, text: str) -> ConfigError:
	return ConfigError(Code.BAD_VALUE, path=f"scan ({text[:64]})", expected=expected)


def findable() -> dict[str, FindableDriver]:
	"""Drivers whose terminals can be found, by key."""
	found: dict[str, FindableDriver] = {}
	for name in drivers.names():
		driver: object = drivers.load(name)
		if isinstance(driver, FindableDriver):
			found[name] = driver
	return found


def look_through(
	addresses: Iterable[str],
	*,
	known: Sequence[FoundTerminal] = (),
	devices: Iterable[Device] = (),
	stop: Callable[[], bool] = lambda: False,
) -> Iterator[FoundTerminal]:
	"""Ask at each address, as the answers come; at most MOST_FOUND.

	:param known: terminals that are spoken with anyway: those at one of the addresses are told as they are
		known, and not disturbed.
	:param devices: terminals whose keys may open others of their family.
	:param stop: asked before each address; what is under way is finished.
	"""
	families = findable()
	configs: dict[str, list[Any]] = {name: [] for name in families}
	for device in devices:
		configs.setdefault(device.settings.driver, []).append(device.config)
	wanted = dict.fromkeys(addresses)
	here = [each for each in known if each.host in wanted][:MOST_FOUND]
	yield from here
	for each in here:
		wanted.pop(each.host, None)
	count = len(here)
	with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan") as pool:
		for results in pool.map(partial(_ask_at, families, configs, stop), _paced(wanted)):
			for found in results:
				if count < MOST_FOUND:
					count += 1
					yield found


def _paced(addresses: Iterable[str]) -> Iterator[tuple[float, str]]:
	"""Each address with the moment before which it is not to be asked."""
	begun_at = time.monotonic()
	for number, address in enumerate(addresses):
		yield begun_at + number / PER_SECOND, address


def _ask_at(
	families: dict[str, FindableDriver],
	configs: Mapping[str, Sequence[Any]],
	stop: Callable[[], bool],
	paced: tuple[float, str],
) -> list[FoundTerminal]:
	not_before, host = paced
	# In small steps: thousands of addresses that wait for their turn must not keep the agent from ending.
	while not stop() and (left := not_before - time.monotonic()) > 0:
		time.sleep(min(left, LOOK_SECONDS))
	found = []
	for name, driver in families.items():
		if stop():
			break
		answer = driver.probe(host, PROBE_SECONDS, configs[name])
		if answer is not None:
			found.append(_found(name, host, *answer))
	return found


def _found(driver: str, host: str, port: int, info: DeviceInfo | None) -> FoundTerminal:
	if info is None:
		return FoundTerminal(serial="", host=host, port=port, driver=driver, wants_key=True)
	return FoundTerminal(
		serial=info.serial,
		host=host,
		port=port,
		driver=driver,
		model=info.model,
		firmware=info.firmware,
	)


def well_known(devices: Iterable[Device], records: Iterable[DeviceRecord]) -> list[FoundTerminal]:
	"""Those of the terminals that are read which were well when they were last spoken with."""
	seen = {record.name: record for record in records if record.serial and not record.last_error_code}
	return [
		FoundTerminal(
			serial=record.serial,
			host=device.config.host,
			port=record.port or 0,
			driver=device.settings.driver,
			model=record.model,
			firmware=record.firmware,
		)
		for device in devices
		if (record := seen.get(device.settings.name)) is not None
	]


class Scanner:
	"""Scans that a site wants, one at a time, in a thread of their own."""

	def __init__(
		self,
		known: Callable[[], Sequence[FoundTerminal]] = tuple,
		on_done: Callable[[], None] = lambda: None,
		devices: Callable[[], Sequence[Device]] = tuple,
	) -> None:
		"""
		:param known: terminals that were well when they were last read.
		:param devices: see `look_through`.
		"""
		self._known = known
		self._devices = devices
		self._on_done = on_done
		self._lock = threading.Lock()
		self._token = ""
		self._report: ScanReport | None = None
		self._stop = threading.Event()
		self._thread: threading.Thread | None = None

	@property
	def report(self) -> ScanReport | None:
		"""What came of the last scan; None while there is none to tell of."""
		return self._report

	def obey(self, wanted: Scan | None) -> None:
		"""Go by what the site wants: begin what is new, forget what it was told."""
		with self._lock:
			if wanted is None:
				self._report = None
				return
			busy = self._thread is not None and self._thread.is_alive()
			if wanted.token == self._token or busy or self._stop.is_set():
				return
			self._token, self._report = wanted.token, None
			self._thread = threading.Thread(target=self._scan, args=(wanted,), name="scan", daemon=True)
			self._thread.start()

	def close(self) -> None:
		self._stop.set()

	def _scan(self, wanted: Scan) -> None:
		addresses: list[str] = []
		terminals: tuple[FoundTerminal, ...] = ()
		error = ""
		try:
			addresses = addresses_in(wanted.networks)
			logger.info("looking for terminals at %d addresses", len(addresses))
			terminals = tuple(
				look_through(addresses, known=self._known(), devices=self._devices(), stop=self._stop.is_set)
			)
		except ConfigError as refused:
			logger.warning("the site wants a scan that is refused: %s", refused)
			error = refused.code.value
		except Exception as fault:  # the site waits for an answer
			logger.error("looking for terminals failed: %s", redact(repr(fault)), exc_info=fault)
			error = Code.DEVICE_ERROR.value
		self._report = ScanReport(
			token=wanted.token, addresses=len(addresses), terminals=terminals, error=error
		)
		self._on_done()
