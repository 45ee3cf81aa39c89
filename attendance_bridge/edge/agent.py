"""Wires an edge agent together. Nothing is decided here; it is as long as the list of its parts."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from prometheus_client import CollectorRegistry

from attendance_bridge.core.causes import Limits
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.core.person import Everybody
from attendance_bridge.core.relay import DecidingUpstream, FoundTerminal
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.board import Board
from attendance_bridge.edge.connections import Connections, make_upstream
from attendance_bridge.edge.counter import Counter
from attendance_bridge.edge.heartbeat import HeartbeatWorker
from attendance_bridge.edge.listener import Listener
from attendance_bridge.edge.metrics import StoreCollector, make_registry
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.poller import Poller
from attendance_bridge.edge.posts import Posts
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.receiver.service import make_receiver
from attendance_bridge.edge.scanner import Scanner, well_known
from attendance_bridge.edge.settings import Settings
from attendance_bridge.edge.status import Status
from attendance_bridge.edge.supervisor import Supervisor, Worker, WorkerState
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.edge.troubles import Troubles, free_bytes
from attendance_bridge.edge.uploader import Uploader
from attendance_bridge.edge.vision.seeing import Seeing
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.app import make_app
from attendance_bridge.edge.web.server import WebServer, make_server
from attendance_bridge.edge.web.services import Services
from attendance_bridge.edge.web_settings import no_account
from attendance_bridge.edge.workdays.service import make_by_hand, make_workdays
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.corrections import Corrections
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.log import PunchLog
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook
from attendance_bridge.stores.roster import Roster

if TYPE_CHECKING:
	from attendance_bridge.edge.enrollment.service import Enrollments
	from attendance_bridge.edge.vision.station import Station

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
"""After so many certain refusals of the kind "not now" a check-in needs a person."""


class Agent:
	"""An edge agent: made, started, waited for, closed."""

	def __init__(self, settings: Settings, *, now: Now = utc_now) -> None:
		"""
		:raises StoreError: the database cannot be used.
		:raises ConfigError: the upstream or the page cannot be set up as configured.

		Networks or a key of the face templates that cannot be used keep nothing else from going on.
		"""
		self.settings = settings
		self._now = now
		self._pulse = Pulse()
		self.database = Database.open(settings.agent.database)
		self.receiver: ReceiverServer | None = None
		self.web: WebServer | None = None
		try:
			self._open_stores()
			self._hire_workers()
		except BaseException:
			self._let_go()
			raise

	def _open_stores(self) -> None:
		self.punches = PunchStore(self.database, now=self._now)
		self.cursors = SqliteCursors(self.database)
		self.book = DeviceBook(self.database)
		self.roster = Roster(self.database)
		self.upstream = make_upstream(self.settings, self.database)
		self.outbox = SqliteOutbox(
			self.database,
			settle=self._settle(),
			backoff=Backoff(base=timedelta(seconds=5), cap=timedelta(minutes=15)),
			# What an upstream that decides puts off, it has not refused: nothing may be lost because nobody
			# has assigned a terminal yet.
			max_attempts=None if self.upstream.spec.decides else MAX_ATTEMPTS,
		)

	def _settle(self) -> timedelta:
		"""How long what is in doubt has to rest; nothing where sending twice is safe."""
		if self.upstream.spec.idempotent:
			return timedelta(0)
		return timedelta(seconds=self.settings.upstream.config.settle_seconds)

	def _hire_workers(self) -> None:
		self.reader = TerminalReader(
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			clock_rules=self.settings.rules.rules().clock,
			now=self._now,
		)
		self.seeing = self._make_seeing()
		self.terminals = Terminals(self.settings.devices, self.seeing.device)
		for device in self.settings.devices:
			self.reader.enter(device)
		self.pairing = Pairing(
			PushBook(self.database), self.terminals, now=self._now, enter=self.reader.enter
		)
		self.pairing.reload()
		self.counter = Counter(self.reader)
		self.poller = self._make_poller()
		self.listener = self._make_listener()
		self.uploader = self._make_uploader()
		self.scanner = Scanner(
			known=self._known_terminals,
			on_done=self._wake_heartbeat,
			devices=lambda: self.terminals.enabled,
		)
		self.heartbeat = self._make_heartbeat() if self.upstream.spec.decides else None
		self.receiver = self._make_receiver() if self.settings.receiver.enabled else None
		self.posts = self._make_posts(self.receiver.port) if self.receiver is not None else None
		self.status = self._make_status()
		self.web = self._make_web() if self.settings.web.enabled else None
		self.supervisor = Supervisor(self._workers())

	def _workers(self) -> list[Worker]:
		"""All that this agent has."""
		found: tuple[Worker | None, ...] = (
			self.poller,
			self.uploader,
			self.listener if self.settings.agent.listeners else None,
			*self.seeing.workers,
			self.heartbeat,
			self.seeing.face_sync,
			self.receiver,
			self.posts,
			self.web,
		)
		return [each for each in found if each is not None]

	def _make_seeing(self) -> Seeing:
		return Seeing(
			self.settings,
			database=self.database,
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			roster=self.roster,
			everybody=self._everybody(),
			upstream=self.upstream,
			on_punch=lambda: self.uploader.wake(),
			clock_offset=lambda: self.heartbeat.clock_offset if self.heartbeat else timedelta(0),
			pulse=self._pulse,
			now=self._now,
		)

	def _make_poller(self) -> Poller:
		return Poller(
			self.terminals.enabled,
			self.reader,
			self.book,
			workers=self.settings.agent.workers,
			now=self._now,
			pulse=self._pulse,
			on_punches=lambda: self.uploader.wake(),
			on_news=self._wake_heartbeat,
			after_pull=self.counter.after_pull,
		)

	def _make_listener(self) -> Listener:
		return Listener(
			lambda: self.terminals.enabled,
			self.reader,
			self.poller,
			most=self.settings.agent.listeners,
			now=self._now,
			pulse=self._pulse,
			on_punches=lambda: self.uploader.wake(),
		)

	def _make_uploader(self) -> Uploader:
		return Uploader(
			punches=self.punches,
			outbox=self.outbox,
			roster=self.roster,
			upstream=self.upstream,
			rules=self.settings.rules.rules(),
			policies=self.book.policies,
			catching_up=self.poller.catching_up,
			people_every=timedelta(minutes=self.settings.agent.people_minutes),
			now=self._now,
			pulse=self._pulse,
			# A watermark may move on now.
			on_drained=self._wake_heartbeat,
			everybody=self._everybody(),
		)

	def _wake_heartbeat(self) -> None:
		if self.heartbeat is not None:
			self.heartbeat.wake()

	def _make_heartbeat(self) -> HeartbeatWorker:
		return HeartbeatWorker(
			upstream=cast(DecidingUpstream, self.upstream),
			terminals=self.terminals,
			poller=self.poller,
			reader=self.reader,
			punches=self.punches,
			outbox=self.outbox,
			cursors=self.cursors,
			book=self.book,
			wake_uploader=self.uploader.wake,
			scanner=self.scanner,
			counter=self.counter,
			live=lambda: self.listener.states,
			posts=lambda: self.posts.reports if self.posts else {},
			now=self._now,
			pulse=self._pulse,
			free_bytes=lambda: free_bytes(self.database.path.parent),
		)

	def _make_posts(self, port: int) -> Posts:
		return Posts(
			lambda: self.terminals.enabled,
			port=port,
			token=self.settings.receiver.token,
			https=self.settings.receiver.speaks_tls,
			poller=self.poller,
			book=self.book,
			now=self._now,
		)

	def _known_terminals(self) -> list[FoundTerminal]:
		return well_known(self.terminals.enabled, self.book.all())

	def _make_receiver(self) -> ReceiverServer:
		return make_receiver(
			self.settings.receiver,
			terminals=self.terminals,
			pairing=self.pairing,
			punches=self.punches,
			push_book=PushBook(self.database),
			book=self.book,
			cursors=self.cursors,
			now=self._now,
			on_punches=self._punches_came,
			correcting=lambda: self.reader.correcting,
			read_soon=self.poller.hurry,
			on_arrival=lambda name, page: self.posts.note_arrival(name, page) if self.posts else None,
		)

	def _punches_came(self) -> None:
		self.uploader.wake()
		self._pulse.beat()

	@property
	def last_error(self) -> UpstreamError | None:
		"""What the upstream last failed with, whatever it was asked for; None once it works again."""
		errands = (self.uploader, self.heartbeat, self.seeing.face_sync)
		return next((each.last_error for each in errands if each and each.last_error), None)

	def _everybody(self) -> Everybody | None:
		return Everybody() if self.settings.upstream.takes_everybody else None

	def _make_web(self) -> WebServer:
		"""
		:raises ConfigError: the port or the certificate cannot be had, or nobody could log in.
		"""
		web = self.settings.web
		accounts = Accounts(self.database)
		if not web.is_loopback and not accounts.count():
			raise no_account()
		return make_server(make_app(self._make_services(accounts)), web, self._pulse)

	def _make_services(self, accounts: Accounts) -> Services:
		station = self.vision
		workdays = make_workdays(self.settings, self.database, lambda: self.terminals.all, now=self._now)
		return Services(
			agent_name=self.settings.agent.name,
			board=self._make_board().view,
			health=self.health,
			metrics=self._make_metrics(),
			pulse=self._pulse,
			trusted_hosts=self.settings.web.trusted_hosts,
			access=Access(accounts, AuditLog(self.database), now=self._now),
			now=self._now,
			settings=self.settings,
			punches=self.punches,
			outbox=self.outbox,
			cursors=self.cursors,
			book=self.book,
			roster=self.roster,
			log=PunchLog(self.database),
			corrections=Corrections(self.database, apart=self.settings.rules.rules().debounce.window),
			status=self.status.view,
			connections=Connections(
				make_upstream=lambda: make_upstream(self.settings, self.database),
				devices=lambda: self.terminals.all,
				now=self._now,
			),
			site_decides=self.upstream.spec.decides,
			wake_uploader=self.uploader.wake,
			gallery=station.gallery if station else None,
			consents=Consents(self.database) if station else None,
			vision=station,
			events=station.events if station else None,
			kiosk=self.seeing.kiosk(
				waiting=lambda: self.outbox.backlog(self._now()).waiting,
				offline=lambda: self.last_error is not None,
			),
			enrollment=self.enrollment,
			pairing=self.pairing if self.receiver is not None else None,
			workdays=workdays,
			by_hand=make_by_hand(
				self.settings, workdays, self.roster, now=self._now, on_punch=self._punches_came
			),
		)

	def _make_board(self) -> Board:
		return Board(
			devices=lambda: self.terminals.all,
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			roster=self.roster,
			upstream_label=self.upstream.spec.label,
			upstream_error=lambda: self.last_error,
			progress=lambda: self.poller.progress,
			now=self._now,
		)

	def _make_metrics(self) -> CollectorRegistry:
		collector = StoreCollector(
			devices=lambda: {device.settings.name for device in self.terminals.all},
			punches=self.punches,
			outbox=self.outbox,
			cursors=self.cursors,
			book=self.book,
			workers=lambda: self.supervisor.states,
			upstream_up=lambda: self.last_error is None,
			now=self._now,
		)
		return make_registry(collector, *(self.vision.figures.collectors if self.vision else ()))

	def _make_status(self) -> Status:
		return Status(
			database=self.database,
			punches=self.punches,
			outbox=self.outbox,
			roster=self.roster,
			upstream_label=self.upstream.spec.label,
			site_decides=self.upstream.spec.decides,
			upstream_error=lambda: self.last_error,
			workers=lambda: self.supervisor.states,
			backup=self.settings.agent.backup,
			now=self._now,
			live=lambda: self.listener.states,
			posts=lambda: self.posts.states if self.posts else {},
			seeing=lambda: self.seeing.state,
			troubles=self._make_troubles().view,
		)

	def _make_troubles(self) -> Troubles:
		return Troubles(
			devices=lambda: self.terminals.all,
			book=self.book,
			punches=self.punches,
			upstream_error=lambda: self.last_error,
			folder=self.database.path.parent,
			limits=Limits(clock_tolerance=self.settings.rules.rules().clock.tolerance),
			now=self._now,
		)

	@property
	def vision(self) -> Station | None:
		"""What sees; None where nothing does."""
		return self.seeing.station

	@property
	def enrollment(self) -> Enrollments | None:
		"""None where nothing sees."""
		return self.seeing.enrollment

	def health(self) -> dict[str, Any]:
		"""Whether the agent itself is well. A dark terminal or site is not its illness."""
		states = self.supervisor.states
		return {
			"ok": all(state is WorkerState.RUNNING for state in states.values()),
			"workers": {name: state.value for name, state in states.items()},
			"waiting": self.outbox.backlog(self._now()).waiting,
		}

	def start(self) -> None:
		"""Set the duties going.

		:raises StoreError: the database cannot be used.
		"""
		left = self.outbox.recover(self._now())
		if left:
			logger.info(
				"%d check-ins were under way when the agent last ended; they are looked up first", left
			)
		self.supervisor.start()

	def request_stop(self) -> None:
		"""Let `wait` end everything; returns at once. Safe in a signal handler."""
		self.supervisor.request_stop()

	def wait(self) -> None:
		"""Return when every worker has ended.

		:raises StoreError: the database could not be used any more, and the agent ended itself.
		"""
		self._end()
		if self.supervisor.fatal is not None:
			raise self.supervisor.fatal

	def _end(self) -> None:
		self.supervisor.wait_for_stop()
		self._pulse.close()
		self.scanner.close()
		self.seeing.close()
		# What is being sent is finished; of the rest of a batch nothing more is begun.
		self.upstream.close()
		self.supervisor.wait()

	def close(self) -> None:
		"""End what still runs, let go of connections and of the database; what is held stays held."""
		self.request_stop()
		self._end()
		self._let_go()

	def _let_go(self) -> None:
		"""Also of one that was made only half: a server has its threads from the beginning, and no process
		ends before they do."""
		if self.web is not None:
			self.web.close()
		if self.receiver is not None:
			self.receiver.close()
		self.database.close()
