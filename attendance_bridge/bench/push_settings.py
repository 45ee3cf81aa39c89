"""What Attendance Bridge Settings say about terminals that push by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils import cint, get_datetime
from frappe.utils.password import get_decrypted_password

from attendance_bridge.bench import messages, moments, networks
from attendance_bridge.bench.networks import Network
from attendance_bridge.core.redact import Secret

DOCTYPE = "Attendance Bridge Settings"

LEAST_BODY_KIB, BODY_KIB, MOST_BODY_KIB = 64, 4096, 20 * 1024
"""Frappe itself takes 25 MiB at the most."""
LEAST_CALLS, CALLS, MOST_CALLS = 30, 240, 10_000
LONGEST_PAIRING = timedelta(hours=24)

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""What a token may be: it stands in a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
	enabled: bool
	networks: tuple[Network, ...]
	proxies: tuple[Network, ...]
	calls_a_minute: int
	largest_body: int
	"""Bytes."""
	pairing_open_until: datetime | None
	"""Aware."""
	has_token: bool

	def pairing_is_open(self, at: datetime) -> bool:
		return self.pairing_open_until is not None and at < self.pairing_open_until


def read() -> PushSettings:
	"""What is set; numbers out of bounds, and networks that are none, cannot be saved."""
	document = frappe.get_cached_doc(DOCTYPE)
	until = get_datetime(document.pairing_open_until) if document.pairing_open_until else None
	return PushSettings(
		enabled=bool(cint(document.push_enabled)),
		networks=networks.parse(document.push_networks),
		proxies=networks.parse(document.trusted_proxies),
		calls_a_minute=cint(document.push_requests_a_minute) or CALLS,
		largest_body=(cint(document.push_body_kib) or BODY_KIB) * 1024,
		pairing_open_until=moments.from_site(until) if until else None,
		has_token=bool(document.push_token),
	)


def token() -> Secret | None:
	"""What must stand in the path for terminals without a token of their own."""
	found = get_decrypted_password(DOCTYPE, DOCTYPE, fieldname="push_token", raise_exception=False)
	return Secret(found) if found else None


def open_pairing(minutes: int) -> datetime:
	"""Put unknown terminals on the list for a while; returns until when, in site time."""
	until = moments.now() + min(timedelta(minutes=max(minutes, 1)), LONGEST_PAIRING)
	_set_pairing(until)
	return until


def close_pairing() -> None:
	"""Turn unknown terminals away from now on."""
	_set_pairing(None)


def _set_pairing(until: datetime | None) -> None:
	frappe.db.set_single_value(DOCTYPE, "pairing_open_until", until)
	frappe.clear_document_cache(DOCTYPE, DOCTYPE)


def check_gate(document: Any, *network_fields: str) -> None:
	"""Check what a form says about who may call: fields of networks, and its field `push_token`.

	:raises frappe.ValidationError: one of them is not what it must be.
	"""
	for fieldname in network_fields:
		_check_networks(document.get(fieldname))
	typed = document.push_token
	if typed and not document.is_dummy_password(typed) and not TOKEN.fullmatch(typed):
		frappe.throw(messages.no_token())


def _check_networks(text: str | None) -> None:
	try:
		networks.parse(text)
	except ValueError as error:
		frappe.throw(messages.no_network(str(error)))
