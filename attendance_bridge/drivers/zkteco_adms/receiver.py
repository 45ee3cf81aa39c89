"""What a terminal that pushes is answered: one orchestration for the edge and the site, without I/O.

Nothing is acknowledged before the desk holds it durably. Whatever goes wrong is answered so that the terminal
keeps what it has and sends it again.
"""

from __future__ import annotations

from attendance_bridge.core.driver import Now
from attendance_bridge.drivers.zkteco_adms.desk import Desk
from attendance_bridge.drivers.zkteco_adms.wire import Reply, Request


class Receiver:
	"""Safe to use from several threads. Keep one for as long as the process lives."""

	def __init__(self, desk: Desk, *, now: Now) -> None:
		"""
		:param now: the present moment, aware; terminals set their clocks by it.
		"""
		self._desk = desk
		self._now = now

	def answer(self, request: Request, peer: str) -> Reply:
		"""Answer one call. Never raises for what a terminal sends or a `StoreError` of the desk.

		:param peer: the IP address that the call came from, already seen through trusted proxies.
		"""
		raise NotImplementedError
