"""Puts the receiver of an agent together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.edge.receiver.desk import PushDesk
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.receiver.wsgi import ReceiverApp
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook

if TYPE_CHECKING:
	from _typeshed.wsgi import WSGIApplication


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
	others: Mapping[str, WSGIApplication] | None = None,
) -> ReceiverServer:
	"""Listens from now on; answers when it runs.

	:param others: first part of the path → who answers it, for other families of terminals.
	:raises ConfigError: the port cannot be had.
	"""
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
	)

	def flush() -> None:
		pairing.reload()
		desk.flush()

	try:
		return ReceiverServer(
			ReceiverApp(Receiver(desk, now=now), others),
			host=settings.host,
			port=settings.port,
			threads=settings.threads,
			flush=flush,
		)
	except OSError as error:
		raise ConfigError(
			Code.BAD_VALUE, path="receiver.port", expected=f"a free port ({settings.port}: {error.strerror})"
		) from None
