"""What is typed in on a terminal so that it calls this site, and the token that may stand in it."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe.utils import get_url
from frappe.utils.password import set_encrypted_password

from attendance_bridge.bench import devices, lasting

_USUAL_PORTS = {"http": 80, "https": 443}
TOKEN_BYTES = 24


def of_site(token: str = "") -> dict[str, Any]:
	"""`host`, `port` and `https` for terminals that ask for these, and `url` for those that take one."""
	site = urlsplit(get_url())
	root = get_url().rstrip("/")
	return {
		"host": site.hostname or "",
		"port": site.port or _USUAL_PORTS.get(site.scheme, 80),
		"https": site.scheme == "https",
		"url": f"{root}/{token}" if token else root,
	}


def make_token(device: str) -> dict[str, Any]:
	"""A new token for a terminal; the former one is worth nothing any more. Commits.

	:returns: `token`, and what `of_site` says of it. It is not to be had a second time.
	:raises StoreError: it could not be written down.
	"""
	token = secrets.token_urlsafe(TOKEN_BYTES)
	# The terminal calls meanwhile, and its row is written: behind the snapshot of whoever asks.
	lasting.write(lambda: _keep(device, token))
	return {"token": token, **of_site(token)}


def _keep(device: str, token: str) -> None:
	set_encrypted_password(devices.DOCTYPE, device, token, "push_token")
	# As Frappe marks a Password field that holds something.
	frappe.db.set_value(devices.DOCTYPE, device, "push_token", "*" * len(token))
