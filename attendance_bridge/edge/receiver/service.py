"""Puts the receiver of an agent together."""

from __future__ import annotations

from collections.abc import Callable

from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.driver import Now, Page
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.edge.reader import look_by_last
from attendance_bridge.edge.receiver.desk import PushDesk
from attendance_bridge.edge.receiver.hikvision import HikvisionPosts
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.receiver.wsgi import ReceiverApp
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.edge.tls import TlsAdapter, tls_adapter
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook


def make_receiver(
	settings: ReceiverSettings,
	*,
	terminals: Terminals,
	pairing: Pairing,
	punches: PunchStore,
	push_book: PushBook,
	book: DeviceBook,
	cursors: SqliteCursors,
	now: Now,
	on_punches: Callable[[], None] = lambda: None,
	correcting: Callable[[], Correcting] = lambda: Correcting(rules=ClockRules()),
	read_soon: Callable[[str], None] = lambda name: None,
	on_arrival: Callable[[str, Page], None] = lambda name, page: None,
) -> ReceiverServer:
	"""Listens from now on; answers when it runs.

	:param read_soon: the name of a terminal that may hold more than it has told.
	:param on_arrival: the name of a Hikvision terminal, and what it posted, once that is held.
	:raises ConfigError: the port cannot be had, or there is no certificate with its key where one is named.
	"""
	tls = _tls(settings)
	desk = PushDesk(
		gate=settings.gate,
		pairing=settings.pairing,
		terminals=terminals,
		punches=punches,
		push_book=push_book,
		book=book,
		cursors=cursors,
		now=now,
		on_punches=on_punches,
		restart_terminals=settings.restart_terminals,
		correcting=correcting,
	)

	def hold(page: Page, serial: str) -> None:
		if punches.accept(page, serial, look_by_last(book.all(), serial, now())).new:
			on_punches()

	posts = HikvisionPosts(
		settings.gate,
		devices=lambda: terminals.all,
		serials=book.serials,
		hold=hold,
		read_soon=read_soon,
		now=now,
		on_arrival=on_arrival,
	)

	def flush() -> None:
		pairing.reload()
		desk.flush()

	try:
		return ReceiverServer(
			ReceiverApp(Receiver(desk, now=now), {"hikvision": posts}),
			host=settings.host,
			port=settings.port,
			threads=settings.threads,
			flush=flush,
			admits=desk.admits,
			tls=tls,
		)
	except OSError as error:
		raise ConfigError(
			Code.BAD_VALUE, path="receiver.port", expected=f"a free port ({settings.port}: {error.strerror})"
		) from None


def _tls(settings: ReceiverSettings) -> TlsAdapter | None:
	if (settings.tls_cert is None) != (settings.tls_key is None):
		missing = "tls_key" if settings.tls_key is None else "tls_cert"
		raise ConfigError(
			Code.MISSING_KEY, path=f"receiver.{missing}", help="certificate and key go together"
		)
	try:
		return tls_adapter(settings.tls_cert, settings.tls_key)
	except OSError:
		raise ConfigError(
			Code.BAD_VALUE, path="receiver.tls_cert", expected="a PEM certificate, and tls_key its key"
		) from None
