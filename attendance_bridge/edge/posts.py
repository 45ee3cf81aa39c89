"""Terminals that are told to post their events to this agent, and whether they do.

Some firmware accepts the setting and never delivers, or stops after a restart. So what it made of the setting
is read back, and what arrives is compared with what pulls bring; where it is silent it is told anew.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from attendance_bridge.core.driver import Now, Page
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.core.lockout import PASSWORD_TROUBLES
from attendance_bridge.core.redact import Secret, redact
from attendance_bridge.core.relay import PostsReport
from attendance_bridge.drivers.hikvision_isapi import Driver as HikvisionDriver
from attendance_bridge.drivers.hikvision_isapi.delivery import Arrivals, Delivery, judge
from attendance_bridge.drivers.hikvision_isapi.http_hosts import Arrangement, HttpHosts, Listener
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.poller import Poller
from attendance_bridge.edge.reader import open_driver
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord

logger = logging.getLogger(__name__)

DRIVER = "hikvision_isapi"
POSTS_PATH = "hikvision"
"""First part of the path that terminals post to; the receiver's token and the serial number follow."""
AGAIN = timedelta(hours=1)
"""How long one that was told is left alone before it is told anew."""
LOOK_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
	"""How one terminal stands. Moments are aware."""

	serial: str
	told_at: datetime | None = None
	"""When it was last told where to post, or that failed."""
	arrangement: Arrangement | None = None
	"""What it made of that; None if it was not told, or refused."""
	code: str = ""
	"""Why it could not be told."""
	arrived_at: datetime | None = None
	event_at: datetime | None = None
	"""When a punch was posted last."""
	events: int = 0
	pulled_at: datetime | None = None
	"""Of the first complete pull after it was told: what later ones bring was not posted."""
	missed_at: datetime | None = None

	def delivery(self, now: datetime) -> Delivery:
		if self.told_at is None or self.arrangement is None:
			return Delivery.WAITING
		seen = Arrivals(
			set_up_at=self.told_at,
			subscribes=self.arrangement.subscribes,
			arrived_at=self.arrived_at,
			event_at=self.event_at,
			missed_at=self.missed_at,
		)
		return judge(seen, now)

	def has_to_be_told(self, now: datetime) -> bool:
		"""Whether it was not told, or nothing comes of it. One that had nothing to post is left alone: each
		telling may have it post its whole log."""
		made = self.arrangement
		return made is None or not made.is_good or self.delivery(now) in (Delivery.NEVER, Delivery.STOPPED)

	def report(self, now: datetime) -> PostsReport:
		made = self.arrangement
		return PostsReport(
			delivery=self.delivery(now).value,
			told_at=self.told_at,
			arrived_at=self.arrived_at,
			not_kept=made.not_kept if made else (),
			reaches_us=made.reaches_us if made else None,
			code=self.code,
		)

	def as_json(self, now: datetime) -> dict[str, Any]:
		report = self.report(now)
		return {
			"delivery": report.delivery,
			"told_at": report.told_at.isoformat() if report.told_at else None,
			"arrived_at": report.arrived_at.isoformat() if report.arrived_at else None,
			"events": self.events,
			"not_kept": list(report.not_kept),
			"reaches_us": report.reaches_us,
			"said": self.arrangement.said if self.arrangement else "",
			"code": report.code,
		}


class Posts:
	"""One duty for the supervisor. Safe to ask from any thread."""

	name = "posts"

	def __init__(
		self,
		devices: Callable[[], Sequence[Device]],
		*,
		port: int,
		token: Secret | None,
		https: bool = False,
		poller: Poller,
		book: DeviceBook,
		now: Now,
	) -> None:
		"""
		:param devices: the terminals that may be read; those with `posts` are told to post.
		:param port: on which the receiver listens.
		:param token: of the receiver. Without one nobody may post, and nobody is told to.
		:param https: whether the receiver speaks TLS.
		"""
		self._devices = devices
		self._port = port
		self._token = token
		self._https = https
		self._poller = poller
		self._book = book
		self._now = now
		self._lock = threading.Lock()
		self._postings: dict[str, Posting] = {}
		self._told: dict[str, Device] = {}
		"""Those that were told to post, as they were reached then."""

	@property
	def states(self) -> dict[str, dict[str, Any]]:
		"""By name of the device."""
		now = self._now()
		return {name: posting.as_json(now) for name, posting in self._known().items()}

	@property
	def reports(self) -> dict[str, PostsReport]:
		"""The same for a site."""
		now = self._now()
		return {name: posting.report(now) for name, posting in self._known().items()}

	def _known(self) -> dict[str, Posting]:
		with self._lock:
			return dict(self._postings)

	def note_arrival(self, name: str, page: Page) -> None:
		"""A terminal has posted."""
		with self._lock:
			posting = self._postings.get(name)
			if posting is not None:
				now = self._now()
				self._postings[name] = replace(
					posting,
					arrived_at=now,
					event_at=now if page.punches else posting.event_at,
					events=posting.events + len(page.punches),
				)

	def run(self, stop: threading.Event) -> None:
		"""Tell terminals where to post, and watch, until `stop`.

		:raises StoreError: the book cannot be used.
		"""
		while not stop.is_set():
			records = {record.name: record for record in self._book.all()}
			wanted = [device for device in self._devices() if is_posting(device)]
			self._enter(wanted, records)
			self._let_go(wanted)
			for device in wanted:
				if stop.is_set():
					break
				try:
					self._look_after(device, records.get(device.settings.name))
				except StoreError:
					raise
				except Exception as error:  # a fault of ours with one terminal must not stop the others
					name = device.settings.name
					logger.error("%s: %s", name, redact(repr(error)), exc_info=error)
					self._change(name, told_at=self._now(), arrangement=None, code=Code.DEVICE_ERROR.value)
			stop.wait(LOOK_EVERY_SECONDS)

	def _let_go(self, wanted: Iterable[Device]) -> None:
		"""Take our address away from terminals that are to post here no more."""
		names = {device.settings.name for device in wanted}
		for name in self._told.keys() - names:
			device = self._told.pop(name)
			try:
				if self._poller.is_let_in(name):
					with self._hosts_of(device) as hosts:
						hosts.take_away()
			except (DeviceError, ValueError) as error:
				logger.warning("%s: may go on posting here: %s", name, error)

	def _enter(self, devices: Iterable[Device], records: Mapping[str, DeviceRecord]) -> None:
		"""Know those that were met already; forget the others."""
		postings: dict[str, Posting] = {}
		with self._lock:
			for device in devices:
				name = device.settings.name
				serial = device.settings.serial or (records[name].serial if name in records else "")
				known = self._postings.get(name)
				if serial:
					postings[name] = known if known and known.serial == serial else Posting(serial=serial)
			self._postings = postings

	def _look_after(self, device: Device, record: DeviceRecord | None) -> None:
		name, now = device.settings.name, self._now()
		posting = self._postings.get(name)
		if posting is None or record is None:
			return
		self._compare(name, posting, record)
		rested = posting.told_at is None or not timedelta(0) <= now - posting.told_at < AGAIN
		if rested and posting.has_to_be_told(now) and self._poller.is_let_in(name):
			self._tell(device, posting)

	def _tell(self, device: Device, posting: Posting) -> None:
		name = device.settings.name
		if self._token is None:
			logger.warning("%s: is not told to post: [receiver] has no token", name)
			self._change(name, told_at=self._now(), code=Code.SECRET_MISSING.value)
			return
		began = self._now()
		try:
			with self._hosts_of(device, posting.serial) as hosts:
				here = Listener(
					host=address_towards(device),
					port=self._port,
					path=self._path_of(posting.serial),
					https=self._https,
				)
				# What it was told before this agent began still stands, as a rule.
				made = hosts.set_up(here, anew=posting.told_at is not None)
				self._told[name] = device
		except ValueError as error:  # a serial number or a token that fits into no path
			logger.warning("%s: is not told to post: %s", name, error)
			self._change(name, told_at=self._now(), arrangement=None, code=Code.BAD_VALUE.value)
			return
		except DeviceError as error:
			logger.warning("%s [%s]", sentence(error, name), error.code.value)
			if error.code in PASSWORD_TROUBLES:
				self._poller.refused(device, error)
			self._change(name, told_at=self._now(), arrangement=None, code=error.code.value)
			return
		if not made.is_good:
			logger.warning("%s: will not post: not kept %s, its test says %r", name, made.not_kept, made.said)
		self._told_now(name, made, began)

	def _told_now(self, name: str, made: Arrangement, began: datetime) -> None:
		"""Count what comes from now on; it may have begun to come while the terminal was being told."""
		with self._lock:
			posting = self._postings.get(name)
			if posting is None:
				return
			arrived_at, event_at = posting.arrived_at, posting.event_at
			self._postings[name] = replace(
				posting,
				told_at=self._now(),
				arrangement=made,
				code="",
				arrived_at=arrived_at if arrived_at is not None and arrived_at >= began else None,
				event_at=event_at if event_at is not None and event_at >= began else None,
				pulled_at=None,
				missed_at=None,
			)

	@contextmanager
	def _hosts_of(self, device: Device, serial: str = "") -> Iterator[HttpHosts]:
		"""
		:param serial: that has to answer: another terminal would post under the name of this one.
		:raises DeviceError: also WRONG_DEVICE.
		"""
		with open_driver(device, self._now) as driver:
			if not isinstance(driver, HikvisionDriver):
				raise DeviceError(Code.NOT_SUPPORTED)
			found = driver.identify().serial if serial else ""
			if found != serial:
				config = device.config
				where = {"host": config.host, "port": config.effective_port}
				raise DeviceError(Code.WRONG_DEVICE, found=found, expected=serial, **where)
			yield driver.http_hosts(self._is_ours)

	def _path_of(self, serial: str) -> str:
		token = self._token.reveal() if self._token is not None else ""
		return f"/{POSTS_PATH}/{token}/{serial}"

	def _is_ours(self, path: str) -> bool:
		return self._token is not None and path.startswith(self._path_of(""))

	def _compare(self, name: str, posting: Posting, record: DeviceRecord) -> None:
		"""Note when a pull brought what should have been posted."""
		pulled_at = record.last_pull_at
		if posting.told_at is None or pulled_at is None or not record.last_pull_complete:
			return
		if posting.pulled_at is None:
			if pulled_at > posting.told_at:
				self._change(name, pulled_at=pulled_at)
		elif pulled_at > posting.pulled_at and record.last_pull_new and pulled_at != posting.missed_at:
			self._change(name, missed_at=pulled_at)

	def _change(self, name: str, **changes: Any) -> None:
		with self._lock:
			posting = self._postings.get(name)
			if posting is not None:
				self._postings[name] = replace(posting, **changes)


def is_posting(device: Device) -> bool:
	return device.settings.posts and device.settings.driver == DRIVER


def address_towards(device: Device) -> str:
	"""The address of this machine on the way to a terminal.

	:raises DeviceError: UNREACHABLE: there is no way.
	"""
	config = device.config
	try:
		found = socket.getaddrinfo(config.host, config.effective_port, type=socket.SOCK_DGRAM)[0]
		with socket.socket(found[0], socket.SOCK_DGRAM) as towards:
			# Of a datagram socket, this sends nothing.
			towards.connect(found[4])
			return str(towards.getsockname()[0])
	except OSError:
		raise DeviceError(
			Code.UNREACHABLE, retryable=True, host=config.host, port=config.effective_port
		) from None
