"""Wires an edge agent together. Nothing is decided here; it is as long as the list of its parts."""

from __future__ import annotations

import logging
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from attendance_bridge.core.causes import Limits
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, UpstreamError
from attendance_bridge.core.faces import FaceUpstream
from attendance_bridge.core.person import Everybody
from attendance_bridge.core.relay import DecidingUpstream, FoundTerminal
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.board import Board
from attendance_bridge.edge.connections import Connections, make_upstream
from attendance_bridge.edge.counter import Counter
from attendance_bridge.edge.face_sync import FaceSync
from attendance_bridge.edge.heartbeat import HeartbeatWorker
from attendance_bridge.edge.kiosk import KioskView
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
from attendance_bridge.edge.vision.ports import VisionState
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.app import make_app
from attendance_bridge.edge.web.server import WebServer
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
from attendance_bridge.stores.site_faces import SiteFaces

if TYPE_CHECKING:
	from attendance_bridge.edge.enrollment.service import Enrollments
	from attendance_bridge.edge.vision.blind import Blind
	from attendance_bridge.edge.vision.settings import VisionSettings
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

		Networks or a key of the face templates that cannot be used keep nothing else from going on: see
		`blind`.
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
		rules = self.settings.rules.rules()
		self.reader = reader = TerminalReader(
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			clock_rules=rules.clock,
			now=self._now,
		)
		self.blind: Blind | None = None
		"""Stands in the place of `vision` where that is configured and cannot be opened."""
		self.vision = self._open_vision()
		self.enrollment = self._make_enrollment()
		camera = self.vision or self.blind
		self.terminals = Terminals(self.settings.devices, camera.device if camera else None)
		for device in self.settings.devices:
			reader.enter(device)
		self.pairing = Pairing(PushBook(self.database), self.terminals, now=self._now, enter=reader.enter)
		self.pairing.reload()
		self.counter = Counter(reader)
		self.poller = Poller(
			self.terminals.enabled,
			reader,
			self.book,
			workers=self.settings.agent.workers,
			now=self._now,
			pulse=self._pulse,
			on_punches=lambda: self.uploader.wake(),
			on_news=lambda: self.heartbeat.wake() if self.heartbeat else None,
			after_pull=self.counter.after_pull,
		)
		self.listener = Listener(
			lambda: self.terminals.enabled,
			reader,
			self.poller,
			most=self.settings.agent.listeners,
			now=self._now,
			pulse=self._pulse,
			on_punches=lambda: self.uploader.wake(),
		)
		self.uploader = Uploader(
			punches=self.punches,
			outbox=self.outbox,
			roster=self.roster,
			upstream=self.upstream,
			rules=rules,
			policies=self.book.policies,
			catching_up=self.poller.catching_up,
			people_every=timedelta(minutes=self.settings.agent.people_minutes),
			now=self._now,
			pulse=self._pulse,
			# A watermark may move on now.
			on_drained=lambda: self.heartbeat.wake() if self.heartbeat else None,
			everybody=self._everybody(),
		)
		self.scanner = Scanner(
			known=self._known_terminals,
			on_done=lambda: self.heartbeat.wake() if self.heartbeat else None,
			devices=lambda: self.terminals.enabled,
		)
		self.heartbeat = self._make_heartbeat(reader) if self.upstream.spec.decides else None
		workers: list[Worker] = [self.poller, self.uploader]
		if self.settings.agent.listeners:
			workers.append(self.listener)
		if self.vision is not None:
			workers += self.vision.workers
		if self.enrollment is not None:
			workers.append(self.enrollment)
		if self.heartbeat is not None:
			workers.append(self.heartbeat)
		self.face_sync = self._make_face_sync()
		if self.face_sync is not None:
			workers.append(self.face_sync)
		self.receiver = self._make_receiver() if self.settings.receiver.enabled else None
		self.posts = self._make_posts(self.receiver.port) if self.receiver is not None else None
		if self.receiver is not None and self.posts is not None:
			workers += [self.receiver, self.posts]
		self.status = self._make_status()
		self.web = self._make_web() if self.settings.web.enabled else None
		if self.web is not None:
			workers.append(self.web)
		self.supervisor = Supervisor(workers)

	def _make_heartbeat(self, reader: TerminalReader) -> HeartbeatWorker:
		return HeartbeatWorker(
			upstream=cast(DecidingUpstream, self.upstream),
			terminals=self.terminals,
			poller=self.poller,
			reader=reader,
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

	def _make_face_sync(self) -> FaceSync | None:
		eyes = self.vision or self.blind
		if eyes is None or self.settings.vision is None or not self.upstream.spec.keeps_faces:
			return None
		gallery = eyes.gallery
		if gallery is None:
			return None
		return FaceSync(
			upstream=cast(FaceUpstream, self.upstream),
			gallery=gallery,
			faces=SiteFaces(self.database, gallery),
			models=eyes.models,
			templates_stay=self.settings.vision.gallery.store_nothing_central,
			now=self._now,
			pulse=self._pulse,
		)

	@property
	def last_error(self) -> UpstreamError | None:
		"""What the upstream last failed with, whatever it was asked for; None once it works again."""
		errands = (self.uploader, self.heartbeat, self.face_sync)
		return next((each.last_error for each in errands if each and each.last_error), None)

	def _everybody(self) -> Everybody | None:
		return Everybody() if self.settings.upstream.takes_everybody else None

	def _open_vision(self) -> Station | None:
		if self.settings.vision is None:
			return None
		# What it needs is heavy, and not there on a machine that only relays terminals.
		from attendance_bridge.edge.vision.blind import Blind, only_blinds

		try:
			return self._make_station(self.settings.vision)
		except BridgeError as error:
			if not only_blinds(error):
				raise
			self.blind = Blind(
				self.settings,
				self.settings.vision,
				error,
				database=self.database,
				book=self.book,
				cursors=self.cursors,
				now=self._now,
			)
			return None

	def _make_station(self, vision: VisionSettings) -> Station:
		from attendance_bridge.edge.vision.station import Station

		return Station(
			self.settings,
			vision,
			database=self.database,
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			roster=self.roster,
			everybody=self._everybody(),
			rules=self.settings.rules.rules(),
			on_punch=lambda: self.uploader.wake(),
			pulse=self._pulse,
			now=self._now,
			clock_offset=lambda: self.heartbeat.clock_offset if self.heartbeat else timedelta(0),
		)

	def _make_enrollment(self) -> Enrollments | None:
		if self.vision is None or self.settings.vision is None:
			return None
		from attendance_bridge.edge.enrollment.consent_text import ConsentText
		from attendance_bridge.edge.enrollment.service import Enrollments

		vision = self.settings.vision
		return Enrollments(
			eyes=self.vision,
			gallery=self.vision.gallery,
			roster=self.roster,
			audit=AuditLog(self.database),
			events=self.vision.events,
			settings=vision.enrollment,
			consent_text=ConsentText.of(vision.enrollment),
			has_camera=True,
			keep_pictures=vision.gallery.keep_pictures,
			consent_required=vision.gallery.consent_required,
			agent_name=self.settings.agent.name,
			on_enrolled=lambda: self.face_sync.wake() if self.face_sync else None,
			now=self._now,
		)

	def _make_web(self) -> WebServer:
		board = Board(
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
		web = self.settings.web
		accounts = Accounts(self.database)
		if not web.is_loopback and not accounts.count():
			raise no_account()
		workdays = make_workdays(self.settings, self.database, lambda: self.terminals.all, now=self._now)
		services = Services(
			agent_name=self.settings.agent.name,
			board=board.view,
			health=self.health,
			metrics=make_registry(collector, *(self.vision.figures.collectors if self.vision else ())),
			pulse=self._pulse,
			trusted_hosts=web.trusted_hosts,
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
			gallery=self.vision.gallery if self.vision else None,
			consents=Consents(self.database) if self.vision else None,
			vision=self.vision,
			events=self.vision.events if self.vision else None,
			kiosk=self._make_kiosk(),
			enrollment=self.enrollment,
			pairing=self.pairing if self.receiver is not None else None,
			workdays=workdays,
			by_hand=make_by_hand(
				self.settings, workdays, self.roster, now=self._now, on_punch=self._punches_came
			),
		)
		app = make_app(services)
		try:
			return WebServer(
				app,
				host=web.host,
				port=web.port,
				pulse=self._pulse,
				certificate=web.tls_cert,
				key=web.tls_key,
			)
		except ssl.SSLError:
			raise ConfigError(
				Code.BAD_VALUE, path="web.tls_cert", expected="a PEM certificate, and tls_key its key"
			) from None
		except OSError as error:
			raise ConfigError(
				Code.BAD_VALUE, path="web.port", expected=f"a free port ({web.port}: {error.strerror})"
			) from None

	def _make_kiosk(self) -> KioskView | None:
		if self.vision is None or self.settings.vision is None:
			return None
		kiosk = self.settings.vision.kiosk
		return KioskView(
			vision=self.vision,
			settings=kiosk,
			choice_seconds=kiosk.choice_seconds,
			zone=self.settings.agent.zone,
			punches=self.punches,
			staff=Staff(self.roster, self._everybody()),
			waiting=lambda: self.outbox.backlog(self._now()).waiting,
			offline=lambda: self.last_error is not None,
			now=self._now,
		)

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
			seeing=self._seeing,
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

	def _seeing(self) -> VisionState | None:
		if self.blind is not None:
			return self.blind.state
		return self.vision.live.state if self.vision else None

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
		if self.vision is not None:
			self.vision.close()
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
