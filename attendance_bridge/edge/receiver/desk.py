"""The desk of an edge agent: punches go into its log, everything else into the book of pushing terminals.

Punches are durable before they are acknowledged. Stamps and contacts are written down every few seconds: a
stamp that was lost with a power cut only makes a terminal send again what is held already.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.drift import is_right
from attendance_bridge.core.driver import DeviceInfo, Now, Page
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.retry import Breaker
from attendance_bridge.drivers.zkteco_adms.commands import REBOOTS
from attendance_bridge.drivers.zkteco_adms.config import Config
from attendance_bridge.drivers.zkteco_adms.desk import (
	Contact,
	Dialect,
	Facts,
	Gate,
	Knock,
	Order,
	Outcome,
	Registration,
	Stamp,
	Standing,
	Table,
	Terminal,
)
from attendance_bridge.drivers.zkteco_adms.receiver import is_within
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.edge.receiver.corrections import Corrections
from attendance_bridge.edge.receiver.holding import Together
from attendance_bridge.edge.receiver.offsets import Offsets
from attendance_bridge.edge.receiver.promptness import Promptness
from attendance_bridge.edge.settings import Device
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import Call, PairingState, PushBook

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=1)
"""How often a look is written into the book of devices."""
_A_DAY = timedelta(days=1)
_STANDINGS = {
	PairingState.WAITING: Standing.WAITING,
	PairingState.REFUSED: Standing.REFUSED,
	# Let in once, but switched off since.
	PairingState.APPROVED: Standing.REFUSED,
	PairingState.CONFIGURED: Standing.WAITING,
}


@dataclass(slots=True)
class _News:
	"""What is to be written down of one terminal."""

	contact: Contact
	calls: int = 0
	dropped: Counter[str] = field(default_factory=Counter)
	reading: ClockReading | None = None
	told_offset: int | None = None
	cannot_decrypt: bool = False


class PushDesk:
	"""`drivers.zkteco_adms.desk.Desk`."""

	def __init__(
		self,
		*,
		gate: Gate,
		pairing: bool,
		terminals: Terminals,
		punches: PunchStore,
		push_book: PushBook,
		book: DeviceBook,
		cursors: SqliteCursors,
		now: Now,
		on_punches: Callable[[], None] = lambda: None,
		restart_terminals: bool = True,
		correcting: Callable[[], Correcting] = lambda: Correcting(rules=ClockRules()),
	) -> None:
		"""
		:param pairing: whether unknown terminals come on the pairing list.
		:param on_punches: called after new punches are held.
		:param restart_terminals: after a change of clocks; see `offsets`.
		:param correcting: when a clock counts as right, and which are to be set.
		"""
		self._gate = gate
		self._pairing = pairing
		self._terminals = terminals
		self._punches = Together(punches)
		self._push_book = push_book
		self._book = book
		self._cursors = cursors
		self._now = now
		self._on_punches = on_punches
		self._lock = threading.Lock()
		self._generation = -1
		self._known: dict[str, Terminal] = {}
		self._names: dict[str, str] = {}
		self._facts: dict[str, Facts] = {}
		self._news: dict[str, _News] = {}
		self._stamps: dict[tuple[str, Table], str] = {}
		self._correcting = correcting
		self._corrections = Corrections(push_book, correcting)
		self._is_wrong: dict[str, bool] = {}
		"""Whether the clock of each terminal was wrong at the last look."""
		self._written: dict[str, datetime] = {}
		"""When a look at each clock was last written into the book of devices."""
		self._promptness = Promptness()
		self._offsets = Offsets(push_book, self.find, restart=restart_terminals)
		self._twins: dict[str, bool] = {}
		"""What the book of devices says of each serial number."""

	@property
	def _clock_rules(self) -> ClockRules:
		return self._correcting().rules

	def gate(self) -> Gate:
		return self._gate

	def admits(self, address: str) -> bool:
		"""Whether anybody may call from an address: by the gate, or a terminal by its own networks."""
		if not self._gate.networks or is_within(address, self._gate.networks):
			return True
		self._refresh()
		return any(is_within(address, terminal.networks) for terminal in tuple(self._known.values()))

	def find(self, serial: str) -> Terminal | None:
		self._refresh()
		terminal = self._known.get(serial)
		if terminal is None:
			return None
		return replace(terminal, in_contact_since=self._promptness.since(serial, self._now()))

	def _refresh(self) -> None:
		if self._generation != self._terminals.generation:
			self._look_up_all()

	def _look_up_all(self) -> None:
		"""Go by the terminals that the configuration, the site and the pairing list let in now."""
		with self._lock:
			generation = self._terminals.generation
			pushed = self._terminals.pushed
			known = {device.settings.serial: self._terminal_of(device) for device in pushed}
			for device in pushed:
				# Before the first punch, which is decided by it.
				self._book.keep_policy(device.settings.serial, device.settings.policy)
			self._known = known
			self._names = {device.settings.serial: device.settings.name for device in pushed}
			self._generation = generation

	def _terminal_of(self, device: Device) -> Terminal:
		config: Config = device.config
		serial = device.settings.serial
		earlier = self._known.get(serial)
		terminal = Terminal(
			serial=serial,
			zone=device.settings.timezone,
			token=config.push_token,
			networks=config.allowed_networks,
		)
		if earlier is not None:
			return replace(
				terminal,
				dialect=earlier.dialect,
				registration=earlier.registration,
				sightings=earlier.sightings,
				# It was measured by another zone's time.
				clock=earlier.clock if earlier.zone == terminal.zone else "",
			)
		caller = self._push_book.find(serial)
		if caller is None:
			return terminal
		self._offsets.told(serial, caller.told_offset)
		self._facts[serial] = Facts(model=caller.model, firmware=caller.firmware, mac=caller.mac)
		return replace(
			terminal,
			dialect=Dialect(caller.dialect) if caller.dialect else None,
			registration=Registration(code=caller.registry_code, session=caller.session_id)
			if caller.registry_code
			else None,
			sightings=caller.sightings,
		)

	def knock(self, knock: Knock) -> Standing:
		if not self._pairing:
			return Standing.NOT_LISTED
		state = self._push_book.knock(
			knock.serial,
			at=knock.at,
			peer=knock.peer,
			dialect=knock.dialect.value,
			model=knock.facts.model,
			firmware=knock.facts.firmware,
			mac=knock.facts.mac,
		)
		return Standing.NOT_LISTED if state is None else _STANDINGS[state]

	def register(self, serial: str, registration: Registration) -> Registration:
		code, session = self._push_book.register(serial, registration.code, registration.session, self._now())
		kept = Registration(code=code, session=session)
		self._change(serial, registration=kept)
		return kept

	def _change(self, serial: str, **changes: object) -> None:
		with self._lock:
			terminal = self._known.get(serial)
			if terminal is not None:
				self._known[serial] = replace(terminal, **changes)  # type: ignore[arg-type]  # fields of ours

	def hold(
		self, terminal: Terminal, page: Page, reading: ClockReading | None, stamp: Stamp | None
	) -> Accepted:
		accepted = self._punches.accept(page, terminal.serial, reading)
		with self._lock:
			if stamp is not None:
				self._stamps[terminal.serial, stamp.table] = stamp.value
			if accepted.new:
				self._promptness.brought(terminal.serial, page, self._now())
		if accepted.new or accepted.unreadable:
			self._on_punches()
		return accepted

	def stamps(self, serial: str) -> Sequence[Stamp]:
		kept = self._push_book.stamps(serial)
		with self._lock:
			fresh = {table.value: value for (each, table), value in self._stamps.items() if each == serial}
		return [Stamp(table=Table(name), value=value) for name, value in {**kept, **fresh}.items()]

	def held_between(self, serial: str, first: datetime, last: datetime) -> Sequence[Punch]:
		terminal = self._known.get(serial)
		if terminal is None:
			return []
		# Wide enough for every offset that the zone may have had; then by the wall time itself.
		since, until = (wall.replace(tzinfo=terminal.zone) for wall in (first - _A_DAY, last + _A_DAY))
		found = self._push_book.held_between(serial, since, until)
		return [punch for punch in found if first <= punch.wall_time <= last]

	def orders(self, serial: str, limit: int) -> Sequence[Order]:
		return [
			Order(id=command, text=text) for command, text in self._push_book.due(serial, limit, self._now())
		]

	def outcomes(self, serial: str, outcomes: Sequence[Outcome]) -> None:
		told = [(outcome.id, outcome.code, outcome.said) for outcome in outcomes]
		self._push_book.outcomes(serial, told, self._now())

	def note(self, terminal: Terminal, contact: Contact) -> None:
		serial = terminal.serial
		with self._lock:
			known = self._known.get(serial)
			if known is not None:
				self._known[serial] = replace(
					known, dialect=contact.dialect, sightings=contact.sightings, clock=contact.clock
				)
			news = self._news.get(serial)
			if news is None:
				news = self._news[serial] = _News(contact)
			news.contact = contact
			news.calls += 1
			self._promptness.called(serial, contact.at, is_twin=contact.is_twin)
			if contact.has_more:
				self._promptness.kept_back(serial, contact.at)
			news.dropped.update(dict(contact.dropped))
			news.cannot_decrypt |= contact.cannot_decrypt
			if contact.reading is not None:
				news.reading = contact.reading
				self._is_wrong[serial] = not is_right(contact.reading, self._clock_rules)
			if contact.told_offset_minutes is not None:
				news.told_offset = contact.told_offset_minutes
				self._offsets.told(serial, contact.told_offset_minutes)
			if contact.facts is not None:
				self._facts[serial] = _merged(self._facts.get(serial, Facts()), contact.facts)
		if contact.has_started:
			self._push_book.restarted(serial, REBOOTS, contact.at)

	def flush(self) -> None:
		"""Write down what was noted since the last time.

		:raises StoreError: it could not be; of it, nothing is lost that a terminal would not say again.
		"""
		with self._lock:
			news, self._news = self._news, {}
			stamps, self._stamps = self._stamps, {}
			facts = {serial: self._facts.get(serial, Facts()) for serial in news}
			names = {serial: self._names[serial] for serial in news if serial in self._names}
			# What comes with a wrong time is held until somebody has looked: its shifts wait.
			earned = {
				serial: moment
				for serial, moment in self._promptness.earned().items()
				if not self._is_wrong.get(serial)
			}
		if not news and not stamps:
			return
		self._push_book.note(
			[_call(serial, each, facts[serial]) for serial, each in news.items()],
			[(serial, table.value, value) for (serial, table), value in stamps.items()],
		)
		readings = {names[serial]: reading for serial, reading in self._due_readings(news) if serial in names}
		self._book.contacts(
			{names[serial]: (_info(serial, facts[serial]), news[serial].contact.at) for serial in names},
			readings,
			self._clock_rules,
		)
		for serial, name in names.items():
			terminal = self._known.get(serial)
			if name in readings and terminal is not None:
				self._corrections.look(serial, news[serial].contact.dialect, terminal.zone, readings[name])
		if earned:
			self._cursors.vouch_all(earned)
		for serial, name in names.items():
			self._tell_twin(serial, name, news[serial].contact)
		self._offsets.look(self._now())

	def _due_readings(self, news: Mapping[str, _News]) -> Iterator[tuple[str, ClockReading]]:
		for serial, each in news.items():
			before, reading = self._written.get(serial), each.reading
			if reading is not None and (before is None or reading.taken_at - before >= LOOK_EVERY):
				self._written[serial] = reading.taken_at
				yield serial, reading

	def _tell_twin(self, serial: str, name: str, contact: Contact) -> None:
		"""Into the book of devices, once; and out of it when only one is left."""
		if self._twins.get(serial) == contact.is_twin:
			return
		record = self._book.find(name)
		is_told = record is not None and record.last_error_code == Code.SAME_SERIAL.value
		if contact.is_twin and not is_told:
			self._book.failed(name, DeviceError(Code.SAME_SERIAL), at=contact.at, breaker=Breaker())
		elif is_told and not contact.is_twin:
			self._book.pulled(name, PullReport(device_serial=serial), at=contact.at)
		self._twins[serial] = contact.is_twin


def _merged(known: Facts, said: Facts) -> Facts:
	return Facts(
		model=said.model or known.model,
		firmware=said.firmware or known.firmware,
		push_version=said.push_version or known.push_version,
		mac=said.mac or known.mac,
		address=said.address or known.address,
		punches_held=known.punches_held if said.punches_held is None else said.punches_held,
		punch_capacity=known.punch_capacity if said.punch_capacity is None else said.punch_capacity,
		users_held=known.users_held if said.users_held is None else said.users_held,
	)


def _call(serial: str, news: _News, facts: Facts) -> Call:
	contact = news.contact
	return Call(
		serial=serial,
		at=contact.at,
		peer=contact.peer,
		dialect=contact.dialect.value,
		calls=news.calls,
		model=facts.model,
		firmware=facts.firmware,
		mac=facts.mac,
		sightings=contact.sightings,
		is_twin=contact.is_twin,
		cannot_decrypt=news.cannot_decrypt,
		told_offset=news.told_offset,
		dropped=news.dropped,
	)


def _info(serial: str, facts: Facts) -> DeviceInfo:
	return DeviceInfo(
		serial=serial,
		model=facts.model,
		firmware=facts.firmware,
		punches_held=facts.punches_held,
		punch_capacity=facts.punch_capacity,
	)
