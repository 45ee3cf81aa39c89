"""Has a Hikvision terminal post its events to this site, and looks what the terminal made of that."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import conversation, devices, lasting, listener, messages, moments, push_address
from attendance_bridge.bench.terminal import meet
from attendance_bridge.core.errors import BridgeError, ConfigError
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HttpHosts, Listener

TOKEN_BYTES = 24

_KEPT = ("listener_hash", "listener_set_at", "listener_state", "listener_words", "listener_arrival")


def set_up(device: str) -> dict[str, Any]:
	"""Tell a terminal to post to this site, read it back and have it tested. Commits.

	:returns: `words`, and whether all `is_good`.
	"""

	def act(hosts: HttpHosts) -> dict[str, Any]:
		before = frappe.db.get_value(devices.DOCTYPE, device, _KEPT, as_dict=True)
		token = secrets.token_urlsafe(TOKEN_BYTES)
		# Before the terminal is told: its test posts at once.
		_write(
			device,
			listener_hash=listener.digest_of(token),
			listener_set_at=moments.now(),
			listener_state="",
			listener_arrival=None,
		)
		try:
			arrangement = hosts.set_up(_listener(listener.path_of(token)))
		except Exception:
			_write(device, **before)
			raise
		words = messages.arrangement(arrangement)
		state = listener.SET_UP if arrangement.is_good else listener.NOT_KEPT
		_write(device, listener_words=words)
		# Its test may have come by now: then it delivers.
		unheard = {"name": device, "listener_state": ("!=", listener.DELIVERS)}
		_write(unheard, listener_state=state)
		return {"words": words, "is_good": arrangement.is_good}

	return _in_contact(device, act)


def check(device: str) -> dict[str, Any]:
	"""Look whether a terminal is still told to post here; answers as `set_up` does. Commits."""

	def act(hosts: HttpHosts) -> dict[str, Any]:
		entry = hosts.find()
		state = frappe.db.get_value(devices.DOCTYPE, device, "listener_state")
		if entry is None or not entry.says(_listener(entry.get("url"))):
			_write(device, listener_state=listener.NOT_KEPT)
			return {"words": messages.listener_state(listener.NOT_KEPT), "is_good": False}
		if state == listener.NOT_KEPT:
			_write(device, listener_state=listener.SET_UP)
			state = listener.SET_UP
		return {"words": messages.listener_state(state), "is_good": state != listener.SILENT}

	return _in_contact(device, act)


def _listener(path: str) -> Listener:
	address = push_address.of_site()
	try:
		return Listener(host=address["host"], port=address["port"], path=path, https=address["https"])
	except ValueError:
		frappe.throw(
			_("The address of this site, {0}, is none that a terminal could call.").format(address["url"])
		)


def _in_contact(device: str, act: Callable[[HttpHosts], dict[str, Any]]) -> dict[str, Any]:
	digest = frappe.db.get_value(devices.DOCTYPE, device, "listener_hash")

	def is_ours(path: str) -> bool:
		return listener.is_path(path) and listener.digest_of(path.removeprefix(listener.PATH)) == digest

	refused = devices.left_alone(device, at=moments.utc_now())
	if refused is not None:
		return {"words": messages.sentence(refused, devices.label_of(device)), "is_good": False}
	try:
		with conversation.alone_with(device), devices.open_driver(device) as driver:
			hosts = getattr(driver, "http_hosts", None)
			if hosts is None:
				frappe.throw(_("{0} is no terminal that posts its events.").format(device))
			meet(device, driver)
			return act(hosts(is_ours))
	except ConfigError as error:
		driver_name = frappe.db.get_value(devices.DOCTYPE, device, "driver")
		return {"words": messages.config_sentence(error, driver_name), "is_good": False}
	except BridgeError as error:
		if "by_us" not in error.details:
			devices.failed(device, error, at=moments.utc_now())
		return {"words": messages.sentence(error, devices.label_of(device)), "is_good": False}


def _write(device: str | dict[str, Any], **values: Any) -> None:
	"""Commits: what the terminal posts meanwhile comes to other processes."""
	lasting.write(lambda: frappe.db.set_value(devices.DOCTYPE, device, values, update_modified=False))
