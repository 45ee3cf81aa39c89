"""What stands between a client and the site: the proxy, the network, and everything that goes wrong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from attendance_bridge.simulators.frappe_site.application import Application
from attendance_bridge.simulators.frappe_site.bridge import Bridge
from attendance_bridge.simulators.frappe_site.errors import SiteError, error_answer
from attendance_bridge.simulators.frappe_site.state import LASTING, SiteState
from attendance_bridge.simulators.frappe_site.wire import Answer, Request, html_page

Played = Callable[[Request], "Answer | None"]
"""Plays one fault; None resets the connection."""

_DEADLOCK = "(1020, \"Record has changed since last read in table 'tabSeries'\")"


class Gateway:
	"""Passes requests on to the application, unless a fault strikes.

	:param pause: how to wait; the server's, so that it can end while somebody waits.
	:param bridge: this app, if it is installed there.
	"""

	def __init__(
		self, state: SiteState, pause: Callable[[float], None], bridge: Bridge | None = None
	) -> None:
		self._state = state
		self._pause = pause
		self._application = Application(state, pause, bridge)
		self._faults: dict[str, Played] = {
			"bad-gateway": lambda request: html_page(502),
			"bad-gateway-after": self._bad_gateway_after,
			"deadlock": lambda request: _refuse(SiteError(500, "QueryDeadlockError", _DEADLOCK)),
			"html": lambda request: html_page(200, "Please sign in to continue"),
			"maintenance": lambda request: _refuse(SiteError(503, "SessionStopped", "Session Stopped")),
			"rate-limit": self._rate_limit,
			"reset-after": self._reset_after,
			"reset-before": lambda request: None,
			"slow": self._slow,
		}

	def answer(self, request: Request) -> Answer | None:
		"""The answer, or None if the connection is to be reset without one."""
		self._state.count("requests")
		if request.method == "POST":
			self._state.count("posts")
		for fault in sorted(self._state.faults - LASTING):
			if _can_strike(fault, request) and self._state.strikes(fault):
				return self._faults[fault](request)
		return self._application.answer(request)

	def _bad_gateway_after(self, request: Request) -> Answer:
		self._application.answer(request)
		return html_page(502)

	def _reset_after(self, request: Request) -> None:
		self._application.answer(request)

	def _slow(self, request: Request) -> Answer:
		answer = self._application.answer(request)
		self._pause(self._state.slow_seconds)
		return answer

	def _rate_limit(self, request: Request) -> Answer:
		refusal = _refuse(SiteError(429, "TooManyRequestsError"))
		wait = str(self._state.retry_after)
		return replace(refusal, headers=(("Retry-After", wait), ("X-RateLimit-Reset", wait)))


def _can_strike(fault: str, request: Request) -> bool:
	return fault != "deadlock" or request.method == "POST"


def _refuse(error: SiteError) -> Answer:
	return error_answer(error, as_json=True, translated=False)
