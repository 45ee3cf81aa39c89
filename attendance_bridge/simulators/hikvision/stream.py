"""The body of `alertStream`: it never ends by itself.

First the newest events of the log are told again, with `currentEvent` false; then every new one as it
happens, and a heartbeat when nothing has been said for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence

from attendance_bridge.simulators.hikvision import alerts
from attendance_bridge.simulators.hikvision.events import Event
from attendance_bridge.simulators.hikvision.state import HikvisionState

DROP_EVERY = 5
"""With `stream-drops`, so many live events are told, then the connection ends."""
MISS_EVERY = 3
_TICK = 0.1
_ODD_SIZES = (1, 7, 2, 64, 3, 19, 5)
_ODD_PAUSE = 0.002


def content_type(state: HikvisionState) -> str:
	if "stream-no-boundary" in state.faults:
		return "multipart/mixed"
	return f"multipart/mixed; boundary={alerts.OLD_BOUNDARY if _is_xml(state) else alerts.BOUNDARY}"


def pieces(state: HikvisionState, is_dark: Callable[[], bool]) -> Iterator[bytes]:
	"""What to write, piece by piece; ends when the terminal goes dark or a fault ends it.

	What happens from this call on is told as it happens, all before it as history: so call it before the
	reader is told that the stream begins.

	:param is_dark: whether the terminal is off the network just now.
	"""
	with state.lock:
		position = state.log.recorded
		again = state.log.since(0 if "replay-all" in state.faults else max(position - state.replay_events, 0))
	return _cut(state, _parts(state, is_dark, again, position))


def _cut(state: HikvisionState, parts: Iterator[bytes]) -> Iterator[bytes]:
	for part in parts:
		if "stream-odd-pieces" not in state.faults:
			yield part
			continue
		place = 0
		while place < len(part):
			size = _ODD_SIZES[(place + len(part)) % len(_ODD_SIZES)]
			yield part[place : place + size]
			place += size
			time.sleep(_ODD_PAUSE)


def _parts(
	state: HikvisionState, is_dark: Callable[[], bool], again: Sequence[Event], position: int
) -> Iterator[bytes]:
	if "stream-silent" in state.faults:
		while not is_dark():
			time.sleep(_TICK)
		return
	for event in again:
		yield from _told(state, event, is_current=False)
	yield _heartbeat(state)
	yield from _live(state, is_dark, position)


def _live(state: HikvisionState, is_dark: Callable[[], bool], position: int) -> Iterator[bytes]:
	told, last_said = 0, time.monotonic()
	while not is_dark():
		fresh = _wait_for_events(state, position)
		position += len(fresh)
		for event in fresh:
			told += 1
			if (yield from _tell(state, event, told)):
				return
		now = time.monotonic()
		if fresh:
			last_said = now
		elif now - last_said >= state.heartbeat_seconds:
			last_said = now
			yield _heartbeat(state)


def _tell(state: HikvisionState, event: Event, number: int) -> Generator[bytes, None, bool]:
	"""Tell live event `number` of this stream, or what faults make of it; True if the stream ends here."""
	if "missed-alerts" in state.faults and number % MISS_EVERY == 0:
		return False
	is_fifth = number % DROP_EVERY == 0
	parts = list(_told(state, event, is_current=True))
	if "stream-half-part" in state.faults and is_fifth:
		yield parts[0][: len(parts[0]) // 2]
		return True
	yield from parts
	return "stream-drops" in state.faults and is_fifth


def _wait_for_events(state: HikvisionState, position: int) -> list[Event]:
	with state.news:
		if state.log.recorded <= position:
			state.news.wait(min(_TICK, state.heartbeat_seconds))
		return state.log.since(position)


def _told(state: HikvisionState, event: Event, *, is_current: bool) -> Iterator[bytes]:
	with state.lock:
		name = state.name_of(event.employee_no)
	alert = alerts.of_event(event, name, is_current=is_current)
	yield _part(state, alert)
	if alerts.has_picture(event) and state.sends_pictures and not _is_xml(state):
		yield alerts.picture_part()


def _heartbeat(state: HikvisionState) -> bytes:
	with state.lock:
		moment = state.time().isoformat()
	return _part(state, alerts.stream_heartbeat(moment))


def _part(state: HikvisionState, alert: alerts.Alert) -> bytes:
	is_xml = _is_xml(state)
	document = (alerts.as_xml if is_xml else alerts.as_json)(alert, state.namespace)
	return alerts.stream_part(document, is_xml=is_xml, is_bare="bare-parts" in state.faults)


def _is_xml(state: HikvisionState) -> bool:
	return "xml-alerts" in state.faults
