"""What a terminal that pushes is answered: one orchestration for the edge and the site, without I/O.

Nothing is acknowledged before the desk holds it durably. Whatever goes wrong is answered so that the terminal
keeps what it has and sends it again: never with 200.
"""

from __future__ import annotations

import hmac
import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from attendance_bridge.core.clock import ClockReading, localise
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Now, Page, UnreadableRow
from attendance_bridge.core.errors import StoreError
from attendance_bridge.core.punch import Punch
from attendance_bridge.drivers.zkteco_adms import messages as say
from attendance_bridge.drivers.zkteco_adms import requests as ask
from attendance_bridge.drivers.zkteco_adms.clock_watch import BAND, MOST_LIVE, ClockWatch
from attendance_bridge.drivers.zkteco_adms.commands import on_the_wire, set_clock, sets_clock
from attendance_bridge.drivers.zkteco_adms.desk import (
	Contact,
	Desk,
	Dialect,
	Facts,
	Gate,
	Knock,
	Network,
	Order,
	Outcome,
	Registration,
	Standing,
	Terminal,
)
from attendance_bridge.drivers.zkteco_adms.limits import Allowance
from attendance_bridge.drivers.zkteco_adms.replies import (
	configuration_block,
	option_block,
	registered_block,
	text_reply,
	time_answer,
)
from attendance_bridge.drivers.zkteco_adms.rows import NotAPunch, Row, place
from attendance_bridge.drivers.zkteco_adms.sightings import Sightings
from attendance_bridge.drivers.zkteco_adms.texts import lines, number
from attendance_bridge.drivers.zkteco_adms.wire import Reply, Request

logger = logging.getLogger(__name__)

PAGE_SIZE = 2000
"""Records that are held in one transaction."""
MAX_ORDERS = 20
"""Commands in one answer."""
AHEAD = timedelta(minutes=1)
"""A punch that was made later than this from now proves that the terminal's clock is ahead."""
WAIT = ("Retry-After", "30")


@dataclass(slots=True)
class _Call:
	"""One call that passed, and what is to be noted about it."""

	head: ask.Head
	terminal: Terminal
	dialect: Dialect
	peer: str
	now: datetime
	sightings: Sightings
	clock: ClockWatch
	facts: Facts | None = None
	told_clock: bool = False
	"""Whether it told something of its clock."""
	has_started: bool = False
	told_offset: int | None = None
	denied: int = 0
	has_more: bool = False
	dropped: Counter[str] = field(default_factory=Counter)
	cannot_decrypt: bool = False


class Receiver:
	"""Safe to use from several threads. Keep one for as long as the process lives: it counts calls."""

	def __init__(
		self,
		desk: Desk,
		*,
		now: Now,
		strangers: Allowance | None = None,
		terminals: Allowance | None = None,
		make_code: Callable[[int], str] = secrets.token_hex,
	) -> None:
		"""
		:param now: the present moment, aware; terminals set their clocks by it.
		:param strangers: how often an address may call without being let in.
		:param terminals: how often a terminal may call.
		:param make_code: so many random bytes, as hexadecimal digits.
		"""
		self._desk = desk
		self._now = now
		self._strangers = strangers or Allowance(burst=20, per_second=0.5)
		self._terminals = terminals or Allowance(burst=600, per_second=20)
		self._make_code = make_code

	def body_limit(self, method: str, path: str, query: str) -> int:
		"""How many bytes of the body to hand over with the request; what is beyond is read and thrown away,
		up to `requests.MAX_DROPPED_BODY`, and `Request.is_cut` set. For a call that is none of ours, 0."""
		try:
			return ask.body_limit(ask.read_head(method, path, query))
		except ask.BadCallError:
			return 0

	def answer(self, request: Request, peer: str) -> Reply:
		"""Answer one call. Never raises for what a terminal sends, nor for a `StoreError` of the desk.

		:param peer: the IP address that the call came from, already seen through trusted proxies.
		"""
		now = self._now()
		try:
			return self._answer(request, peer, now)
		except ask.BadCallError as error:
			return text_reply(error.status, "", now)
		except StoreError as error:
			logger.warning(
				"a push of a terminal could not be held (%s): it will send it again", error.code.value
			)
			return text_reply(503, "", now, WAIT)

	def _answer(self, request: Request, peer: str, now: datetime) -> Reply:
		head = ask.read_head(request.method, request.path, request.query)
		terminal = self._desk.find(head.serial)
		is_let_in = _passes(self._desk.gate(), terminal, head.token, peer)
		if terminal is None or not is_let_in:
			return self._at_the_door(head, request, peer, now, is_let_in=is_let_in)
		if not self._terminals.take(head.serial, now):
			return text_reply(429, "", now, WAIT)
		call = _Call(
			head=head,
			terminal=terminal,
			dialect=head.dialect or terminal.dialect or Dialect.ATTENDANCE,
			peer=peer,
			now=now,
			sightings=Sightings.from_text(terminal.sightings),
			clock=ClockWatch.from_text(terminal.clock),
		)
		# Until it is served.
		call.has_more = head.is_post
		try:
			if request.is_broken:
				logger.warning("%s: what it sent broke off, it will send it again", head.serial)
				return text_reply(400, "", now)
			reply = self._serve(call, ask.read_message(head, request))
			call.has_more = False
			return reply
		except ask.BadCallError as error:
			logger.error(
				"%s: what it sent is not taken (%d), it will send it again", head.serial, error.status
			)
			raise
		finally:
			self._note(call)

	def _at_the_door(
		self, head: ask.Head, request: Request, peer: str, now: datetime, *, is_let_in: bool
	) -> Reply:
		"""Answer one that nobody approved, or that calls from elsewhere or with a wrong token."""
		if not self._strangers.take(peer, now):
			return text_reply(429, "", now, WAIT)
		if not is_let_in:
			logger.warning("%s: a call from %s with a wrong token or from a wrong network", head.serial, peer)
			return text_reply(403, "", now)
		dialect = head.dialect or Dialect.ATTENDANCE
		is_registering = head.endpoint is ask.Endpoint.REGISTRY
		facts = ask.read_facts(request.body, b",") if is_registering else Facts()
		standing = self._desk.knock(
			Knock(serial=head.serial, at=now, peer=peer, dialect=dialect, facts=facts)
		)
		if is_registering:
			return text_reply(406, "", now)
		if standing is Standing.REFUSED:
			return text_reply(403, "", now)
		if dialect is Dialect.SECURITY and head.endpoint is ask.Endpoint.CDATA and not head.is_post:
			# "Not registered": it goes on to tell of itself, for whoever has to decide.
			return text_reply(200, "OK", now)
		return text_reply(503, "", now, WAIT)

	def _serve(self, call: _Call, message: say.Message) -> Reply:
		if isinstance(message, say.Upload):
			return self._take_punches(call, message)
		if isinstance(message, say.CommandPoll):
			call.facts = message.facts
			return text_reply(200, self._orders(call), call.now)
		if isinstance(message, say.Dropped):
			return self._drop(call, message)
		if isinstance(message, say.CommandResults):
			call.facts = message.facts
			if message.outcomes:
				self._desk.outcomes(call.head.serial, message.outcomes)
			return text_reply(200, "OK", call.now)
		if isinstance(message, say.Options):
			call.facts = message.facts
			self._conclude(call, message.answers, 0)
			return text_reply(200, f"{message.acknowledged}=1" if message.acknowledged else "OK", call.now)
		return self._converse(call, message)

	def _converse(self, call: _Call, message: say.Message) -> Reply:
		"""Answer what is only between the two of us."""
		if isinstance(message, say.Hello):
			return text_reply(200, self._greet(call, message), call.now)
		if isinstance(message, say.Registering):
			call.facts = message.facts
			return text_reply(200, f"RegistryCode={self._register(call).code}\n", call.now)
		if isinstance(message, say.Configuring):
			return text_reply(200, configuration_block(self._register(call)), call.now)
		if isinstance(message, say.State):
			self._look(call, message.wall)
			return text_reply(200, "OK", call.now)
		if isinstance(message, say.TimeQuestion):
			return text_reply(200, time_answer(call.terminal.zone, call.now), call.now)
		if isinstance(message, say.KeyExchange):
			call.cannot_decrypt = True
			return text_reply(501, "", call.now)
		return text_reply(200, "OK", call.now)

	def _greet(self, call: _Call, message: say.Hello) -> str:
		terminal = call.terminal
		call.facts = Facts(push_version=message.push_version) if message.push_version else None
		call.has_started, call.clock = True, call.clock.started()
		if call.dialect is Dialect.SECURITY:
			return registered_block(terminal.registration) if terminal.registration else "OK"
		# One stamp of two boxes: each would skip what only the other one has sent.
		is_twin = self._saw(call).is_twin(call.now)
		stamps = () if is_twin else self._desk.stamps(terminal.serial)
		call.told_offset, block = option_block(
			terminal.serial, terminal.zone, stamps, call.now, is_old=not message.push_version
		)
		return block

	def _register(self, call: _Call) -> Registration:
		if call.terminal.registration is not None:
			return call.terminal.registration
		fresh = Registration(code=self._make_code(8), session=self._make_code(16).upper())
		return self._desk.register(call.head.serial, fresh)

	def _take_punches(self, call: _Call, upload: say.Upload) -> Reply:
		records = 0
		for read, is_end in _pages(upload):
			is_live = is_end and 0 < records + len(read) <= MOST_LIVE and upload.answers is None
			records += len(read)
			page, ahead = self._sort(call, read)
			if is_live:
				self._measure(call, (*page.punches, *(ahead.punches if ahead else ())))
			if ahead is not None:
				latest = max(punch.occurred_at for punch in ahead.punches)
				reading = ClockReading(taken_at=call.now, device_time=latest)
				self._desk.hold(call.terminal, ahead, reading, None)
			stamp = upload.stamp if is_end else None
			if page.punches or page.unreadable or stamp is not None:
				self._desk.hold(call.terminal, page, _known_clock(call, is_live=is_live), stamp)
		if upload.is_last:
			self._conclude(call, upload.answers, records)
		if upload.table:
			stated = number(upload.count)
			return text_reply(200, f"{upload.table}={records if stated is None else stated}", call.now)
		return text_reply(200, f"OK: {records}" if call.dialect is Dialect.ATTENDANCE else "OK", call.now)

	def _sort(self, call: _Call, read: list[Row | UnreadableRow | NotAPunch]) -> tuple[Page, Page | None]:
		"""The page of what was read; and one of the punches that cannot have been made yet, if there are."""
		serial = call.terminal.serial
		punches = place(
			(row for row in read if isinstance(row, Row)),
			serial,
			call.terminal.zone,
			lambda first, last: self._desk.held_between(serial, first, last),
		)
		for passed in read:
			if passed is NotAPunch.DENIED:
				call.denied += 1
		limit = call.now + AHEAD
		ahead = [punch for punch in punches if punch.occurred_utc > limit]
		made = [punch for punch in punches if punch.occurred_utc <= limit] if ahead else punches
		unreadable = tuple(row for row in read if isinstance(row, UnreadableRow))
		page = _page(made, len(read) - len(ahead), unreadable)
		return page, _page(ahead, len(ahead)) if ahead else None

	def _drop(self, call: _Call, message: say.Dropped) -> Reply:
		call.dropped.update(dict(message.counts))
		if message.stamp is not None:
			self._desk.hold(call.terminal, _page([], 0), None, message.stamp)
		if message.is_last:
			self._conclude(call, message.answers, message.count)
		if message.acknowledged:
			# Anything but what it expects makes it send the same again for ever.
			return text_reply(200, f"{message.acknowledged}={message.count}", call.now)
		is_log = call.head.table == "operlog"
		return text_reply(200, f"OK: {message.count}" if is_log else "OK", call.now)

	def _conclude(self, call: _Call, command: int | None, records: int) -> None:
		"""An answer to a query says by itself that the command was carried out."""
		if command is not None and command > 0:
			self._desk.outcomes(call.head.serial, (Outcome(id=command, code=records, said="DATA QUERY"),))

	def _orders(self, call: _Call) -> str:
		due = self._desk.orders(call.head.serial, MAX_ORDERS)
		return "".join(self._sent(call, order) for order in due) or "OK"

	def _sent(self, call: _Call, order: Order) -> str:
		"""A command as it is sent; nothing for one that nobody here can have made, which has failed then."""
		if sets_clock(order.text):
			# It may have waited, or be sent for the second time.
			wall = call.now.astimezone(call.terminal.zone).replace(tzinfo=None)
			order = replace(order, text=set_clock(Dialect.SECURITY, wall))
		try:
			return on_the_wire((order,))
		except ValueError:
			logger.error("%s: command %d is none that is sent to terminals", call.head.serial, order.id)
			refused = Outcome(id=order.id, code=-1, said="not sent")
			self._desk.outcomes(call.head.serial, (refused,))
			return ""

	def _look(self, call: _Call, wall: datetime | None) -> None:
		"""The terminal says what its clock shows."""
		if wall is None:
			return
		# It states no offset; in a repeated hour it is in the pass that we are in.
		offset = call.now.astimezone(call.terminal.zone).utcoffset()
		shown = localise(wall, call.terminal.zone, utc_offset=offset)
		call.clock = call.clock.showed(ClockReading(taken_at=call.now, device_time=shown))
		call.told_clock = True

	def _measure(self, call: _Call, punches: Iterable[Punch]) -> None:
		# Of two boxes with one serial number nobody knows whose clock it is.
		if not self._saw(call).is_twin(call.now):
			call.clock = call.clock.brought(punches, call.now, call.terminal.in_contact_since)
			call.told_clock = True

	def _saw(self, call: _Call) -> Sightings:
		mac = call.facts.mac if call.facts else ""
		return call.sightings.seen(call.peer, mac, call.now)

	def _note(self, call: _Call) -> None:
		seen = self._saw(call)
		is_twin = seen.is_twin(call.now)
		if is_twin and not call.sightings.is_twin(call.now):
			logger.error("%s: two terminals call with this serial number", call.head.serial)
		contact = Contact(
			at=call.now,
			peer=call.peer,
			dialect=call.dialect,
			facts=call.facts,
			sightings=seen.to_text(),
			is_twin=is_twin,
			clock=call.clock.to_text(),
			reading=call.clock.reading(call.now) if call.told_clock else None,
			has_started=call.has_started,
			told_offset_minutes=call.told_offset,
			dropped=tuple(sorted(call.dropped.items())),
			denied=call.denied,
			has_more=call.has_more,
			cannot_decrypt=call.cannot_decrypt,
		)
		try:
			self._desk.note(call.terminal, contact)
		except StoreError as error:
			# What was acknowledged is held all the same.
			logger.warning("%s: its call could not be noted (%s)", call.head.serial, error.code.value)


def _known_clock(call: _Call, *, is_live: bool) -> ClockReading | None:
	"""The look under which a page is held."""
	reading = call.clock.reading(call.now)
	# What came as it was made needs none to be believed, whatever the clock was a while ago.
	return None if is_live and reading is not None and abs(reading.offset) <= BAND else reading


def _pages(upload: say.Upload) -> Iterator[tuple[list[Row | UnreadableRow | NotAPunch], bool]]:
	"""Stretches of an upload as they are read, each with whether it is the last one. At least one."""
	found = lines(upload.body)
	chunk = list(itertools.islice(found, PAGE_SIZE))
	while True:
		following = list(itertools.islice(found, PAGE_SIZE))
		yield [upload.read(line) for line in chunk], not following
		if not following:
			return
		chunk = following


def _page(punches: list[Punch], read: int, unreadable: tuple[UnreadableRow, ...] = ()) -> Page:
	return Page(punches=tuple(punches), cursor=START, unreadable=unreadable, read=read)


def _passes(gate: Gate, terminal: Terminal | None, token: str, peer: str) -> bool:
	"""Whether a call comes from where, and with what, it has to."""
	wanted = (terminal.token if terminal else None) or gate.token
	networks = (terminal.networks if terminal else ()) or gate.networks
	# Compared whole, in a time that does not tell how much of it is right.
	has_token = not wanted or hmac.compare_digest(token.encode(), wanted.reveal().encode())
	return has_token and (not networks or is_within(peer, networks))


def is_within(peer: str, networks: tuple[Network, ...]) -> bool:
	"""Whether an address lies in one of the networks; what is no address does not."""
	try:
		address = ip_address(peer)
	except ValueError:
		return False
	if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
		address = address.ipv4_mapped
	return any(address.version == network.version and address in network for network in networks)
