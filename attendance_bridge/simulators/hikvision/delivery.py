"""Carries events to the listeners that were set up: one thread, one try an event, an answer of 2xx takes it.

What a listener does not take is not posted again: it is in the log, for whoever reads that.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from attendance_bridge.simulators.hikvision import alerts
from attendance_bridge.simulators.hikvision.events import Event
from attendance_bridge.simulators.hikvision.hosts import HttpHost
from attendance_bridge.simulators.hikvision.state import HikvisionState

logger = logging.getLogger(__name__)

POST_SECONDS = 5.0
_TICK = 0.1


@dataclass(slots=True)
class _Round:
	host: HttpHost
	events: list[tuple[Event, str]]
	"""Each with the name of its person."""
	replayed_up_to: int
	heartbeat: bool


class Delivery:
	"""
	:param is_dark: whether the terminal is off the network just now.
	"""

	def __init__(self, state: HikvisionState, is_dark: Callable[[], bool]) -> None:
		self._state = state
		self._is_dark = is_dark
		self._stopping = threading.Event()
		self._thread = threading.Thread(target=self._run, name="hikvision-delivery", daemon=True)
		self._last_beat: dict[int, float] = {}

	def start(self) -> None:
		self._thread.start()

	def stop(self) -> None:
		self._stopping.set()
		with self._state.news:
			self._state.news.notify_all()
		self._thread.join()

	def _run(self) -> None:
		while not self._stopping.is_set():
			rounds = [] if self._is_dark() else self._next_rounds()
			for each in rounds:
				self._deliver(each)
			if not rounds:
				with self._state.news:
					self._state.news.wait(_TICK)

	def _next_rounds(self) -> list[_Round]:
		state = self._state
		with state.lock:
			rounds = []
			for slot, host in state.hosts.items():
				arming = state.armed.get(slot)
				if arming is None or "hosts-never-deliver" in state.faults:
					continue
				fresh = state.log.since(arming.position)
				arming.position += len(fresh)
				wanted = [(event, state.name_of(event.employee_no)) for event in fresh if host.wants(event)]
				beats = self._is_heartbeat_due(host)
				if wanted or beats:
					rounds.append(_Round(host, wanted, arming.replayed_up_to, beats))
			return rounds

	def _is_heartbeat_due(self, host: HttpHost) -> bool:
		now = time.monotonic()
		if not host.heartbeat or now - self._last_beat.setdefault(host.id, now) < host.heartbeat:
			return False
		self._last_beat[host.id] = now
		return True

	def _deliver(self, each: _Round) -> None:
		state = self._state
		for event, name in each.events:
			if self._stopping.is_set() or self._is_dark():
				state.counters.undelivered += 1
				continue
			is_current = event.serial_no > each.replayed_up_to
			told = None if is_current and not state.tells_current else is_current
			alert = alerts.of_event(event, name, is_current=told)
			taken = post(state, each.host, alert, with_picture=alerts.has_picture(event)) == ""
			state.counters.delivered += taken
			state.counters.undelivered += not taken
		if each.heartbeat:
			post(state, each.host, alerts.post_heartbeat(state.time().isoformat()), with_picture=False)


def post(state: HikvisionState, host: HttpHost, alert: alerts.Alert, *, with_picture: bool) -> str:
	"""Post one document; the text is why it was not taken, empty if it was."""
	is_xml = host.format == "XML"
	document = (alerts.as_xml if is_xml else alerts.as_json)(alert, state.namespace)
	kind = "application/xml" if is_xml else "application/json"
	body = document
	if "bare-posts" not in state.faults:
		kind = "multipart/form-data"
		if "hosts-no-boundary" not in state.faults:
			kind += f"; boundary={alerts.BOUNDARY}"
		body = alerts.form(
			document, is_xml=is_xml, name=state.form_field, with_picture=with_picture and state.sends_pictures
		)
	connection = http.client.HTTPConnection(host.address, host.port, timeout=POST_SECONDS)
	try:
		connection.request("POST", host.url, body, {"Content-Type": kind, "Connection": "close"})
		status = connection.getresponse().status
	except ConnectionRefusedError:
		return "Connection refused"
	except (OSError, http.client.HTTPException) as error:
		logger.debug("post to %s:%d: %r", host.address, host.port, error)
		return "Connection failed"
	finally:
		connection.close()
	return "" if 200 <= status < 300 else f"HTTP {status}"
