"""Check-ins of what a request has brought: made after it is answered, so that nobody at a terminal waits.

Many terminals call at once when a shift changes. One request at a time does it for all of them; whoever comes
meanwhile leaves a mark, and the one at work looks for it before it goes.
"""

from __future__ import annotations

import logging
import time

import frappe

from attendance_bridge.bench import background
from attendance_bridge.bench.deciding import settle_received

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 5.0
"""How long a web worker is kept from other requests; a background worker goes on."""

_MARK = "attendance_bridge:carry_on"


def carry_on() -> None:
	"""Have punches that are held decided and delivered, after the answer; without a request, by a worker."""
	request = getattr(frappe.local, "request", None)
	after_response = getattr(request, "after_response", None)
	if after_response is None:
		background.queue_carry_on()
	elif not frappe.flags.attendance_bridge_carries_on:
		frappe.flags.attendance_bridge_carries_on = True
		after_response.add(_carry_on)


def _carry_on() -> None:
	try:
		mark = frappe.cache.make_key(_MARK)
		frappe.cache.set(mark, 1, ex=600)
		while frappe.cache.get(mark) and _alone(mark):
			pass
	except Exception as error:
		# The punches are held: the minutely look finds them.
		frappe.db.rollback()
		logger.error("punches are held and not carried on", exc_info=error)


def _alone(mark: bytes) -> bool:
	"""Work until no mark is left; False if somebody else is at it, or time is up."""
	lock = f"{_MARK}:{frappe.conf.db_name}"[:64]
	(taken,) = frappe.db.sql("SELECT GET_LOCK(%s, 0)", lock)[0]
	if not taken:
		return False
	until = time.monotonic() + LONGEST_SECONDS

	def is_over() -> bool:
		return time.monotonic() >= until

	try:
		while frappe.cache.get(mark):
			frappe.cache.delete(mark)
			settle_received(stop=is_over)
			if is_over():
				background.queue_carry_on()
				# Jobs are queued when a transaction ends.
				frappe.db.commit()  # nosemgrep
				return False
	finally:
		frappe.db.sql("SELECT RELEASE_LOCK(%s)", lock)
	return True
