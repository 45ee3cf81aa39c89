"""The site that check-ins go to, looked at before it is configured: is it there, what is it, who are we."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

import requests

from attendance_bridge import upstreams
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.relay import DecidingUpstream
from attendance_bridge.core.upstream import UpstreamInfo
from attendance_bridge.edge import settings as edge_settings

BRIDGE, REST = "frappe_bridge", "erpnext_rest"
APP_MISSING = "app_missing"
NO_TIME_ZONE = "no_time_zone"
"""The site does not tell its time zone, and nobody has."""

_SECONDS = 20.0
"""To wait for an answer while somebody sits and waits."""
_LONGEST_PONG = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFinding:
	"""What a key finds at a site."""

	kind: str
	"""The upstream that fits: BRIDGE where the app is, else REST."""
	info: UpstreamInfo
	zone: str = ""
	"""Time zone of the site; empty if it does not tell."""
	problems: tuple[str, ...] = ()
	"""Codes of what would keep check-ins from arriving; see `edge.messages.PROBLEMS`."""
	terminals: tuple[str, ...] = ()
	"""Names of those that the site assigns to this agent."""


def check_address(url: str, ca_file: str = "") -> str:
	"""Ask whether a Frappe site is at `url`, without any key; returns the address in its plain form.

	:raises ConfigError: no address, or one that a key must not be sent to.
	:raises UpstreamError: UNREACHABLE, TIMEOUT, TLS_UNTRUSTED, or NOT_FOUND (something else answers there).
	"""
	# The rules about addresses are those of the upstream; that they want keys as well is met with none.
	keys = {"api_key": Secret("-"), "api_secret": Secret("-")}
	plain = str(_settings({"kind": BRIDGE, "url": url, "ca_file": ca_file, **keys}).config.url)
	try:
		with requests.Session() as session:
			session.trust_env = False  # as the agent itself
			answer = session.get(
				f"{plain}/api/method/ping",
				timeout=_SECONDS,
				allow_redirects=False,
				stream=True,
				verify=ca_file or True,
			)
			with answer:
				said = answer.raw.read(_LONGEST_PONG, decode_content=True)
	except requests.exceptions.SSLError:
		raise UpstreamError(Code.TLS_UNTRUSTED, url=plain) from None
	except requests.Timeout:
		raise UpstreamError(Code.TIMEOUT, url=plain) from None
	except (requests.RequestException, OSError):
		raise UpstreamError(Code.UNREACHABLE, url=plain) from None
	if answer.status_code != requests.codes.ok or b'"pong"' not in said:
		raise UpstreamError(Code.NOT_FOUND, url=plain)
	return plain


def look_at_site(table: Mapping[str, object], *, kind: str = "", zone: ZoneInfo | None = None) -> SiteFinding:
	"""Try a key, and find out which upstream fits. Delivers nothing.

	:param table: `url`, `api_key`, `api_secret` (as `Secret`) and perhaps `ca_file`.
	:param kind: BRIDGE or REST where it is not to be found out.
	:param zone: the site's time zone as somebody has said it; None asks the site.
	:raises ConfigError: the table cannot be used.
	:raises UpstreamError: the site does not answer, or refuses the key.
	"""
	if kind != REST:
		found = _look_at_bridge(table)
		if kind == BRIDGE or APP_MISSING not in found.problems:
			return found
	return _look_at_rest(table, zone)


def _look_at_bridge(table: Mapping[str, object]) -> SiteFinding:
	upstream = cast(DecidingUpstream, _open(BRIDGE, table))
	with contextlib.closing(upstream):
		info = upstream.check()
		terminals = () if info.problems else tuple(each.name for each in upstream.devices().devices)
	zone = "" if APP_MISSING in info.problems else _zone_of(table)
	return SiteFinding(kind=BRIDGE, info=info, zone=zone, problems=info.problems, terminals=terminals)


def _look_at_rest(table: Mapping[str, object], zone: ZoneInfo | None) -> SiteFinding:
	told = _zone_of(table)
	name = zone.key if zone else told
	with contextlib.closing(_open(REST, {**table, "timezone": name or "UTC"})) as upstream:
		info = upstream.check()
	problems = info.problems if name else (*info.problems, NO_TIME_ZONE)
	return SiteFinding(kind=REST, info=info, zone=name, problems=problems)


def _zone_of(table: Mapping[str, object]) -> str:
	"""Of the site, if this machine knows a zone of that name too."""
	with contextlib.closing(_open(REST, {**table, "timezone": "UTC"})) as upstream:
		name: str = upstream.time_zone()
	try:
		return ZoneInfo(name).key if name else ""
	except (ValueError, OSError, LookupError):
		return ""


def _open(kind: str, table: Mapping[str, object]) -> Any:
	upstream_class: Any = upstreams.load(kind)
	return upstream_class(_settings({**table, "kind": kind, "timeout": _SECONDS}).config)


def _settings(table: Mapping[str, object]) -> edge_settings.UpstreamSettings:
	return edge_settings.from_mapping({"upstream": table}).upstream
