"""What an agent is told about the terminals that it relays."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any

import frappe
from frappe.utils import cint
from frappe.utils.password import get_encryption_key

from attendance_bridge import __version__
from attendance_bridge.bench import clock_guard, devices, driver_options
from attendance_bridge.bench.agents import Agent
from attendance_bridge.core.errors import ConfigError
from attendance_bridge.core.redact import Secret

logger = logging.getLogger(__name__)

_FIELDS = (
	"name",
	"driver",
	"enabled",
	"serial_number",
	"time_zone",
	"device_role",
	"user_id_prefix",
	"poll_interval",
	"live",
	"posts",
	"driver_options",
	*driver_options.FIELDS.values(),
)


def assignment(agent: Agent) -> dict[str, Any]:
	"""The terminals of an agent, with their secrets in the clear, and how to read them.

	A terminal whose configuration cannot be used (any more) is left out, and a word about it goes to the log.
	"""
	rows = _rows(agent)
	return {
		"revision": _digest(agent, rows),
		"devices": [told for row in rows if (told := _told(row)) is not None],
		"rules": _rules(),
	}


def revision(agent: Agent) -> str:
	"""Another one than before means: what `assignment` answers may have changed. Two statements."""
	return _digest(agent, _rows(agent))


def _rows(agent: Agent) -> list[Any]:
	rows: list[Any] = frappe.get_all(
		devices.DOCTYPE, filters={"edge_agent": agent.name}, fields=list(_FIELDS), order_by="name"
	)
	return rows


def _told(row: Any) -> dict[str, Any] | None:
	try:
		options = driver_options.given(row, devices.stored_password(row.name, row.driver))
		driver_options.parse_given(row.driver, options)
	except (ConfigError, KeyError, frappe.ValidationError) as error:
		logger.error("%s is not handed to its agent: %s", row.name, error)
		return None
	policy = devices.policy_of(row)
	return {
		"name": row.name,
		"driver": row.driver,
		"enabled": bool(row.enabled),
		"serial": row.serial_number or "",
		"time_zone": row.time_zone,
		"role": policy.role.value,
		"user_id_prefix": policy.user_id_prefix,
		"poll_seconds": max(cint(row.poll_interval), 1) * 60,
		"live": bool(row.live),
		"posts": bool(row.posts),
		"options": {name: _revealed(value) for name, value in options.items()},
	}


def _rules() -> dict[str, Any]:
	rules = devices.rules()
	return {
		"clock_tolerance_seconds": round(rules.clock.tolerance.total_seconds()),
		"debounce_seconds": round(rules.debounce.window.total_seconds()),
		"working_day_hours": round(rules.direction.working_day.total_seconds() / 3600),
		"correct_clocks": clock_guard.corrects_by_itself(),
		"largest_correction_seconds": round(clock_guard.largest_correction().total_seconds()),
	}


def _digest(agent: Agent, rows: list[Any]) -> str:
	"""Over everything that the answer is made of, and keyed: nobody can try passwords against it.

	Of secrets their encrypted form goes in, which is another one after each change: so none is decrypted
	every minute.
	"""
	made_of = [__version__, agent.name, rows, _encrypted_secrets(rows), _rules()]
	text = json.dumps(made_of, sort_keys=True, default=str)
	key = get_encryption_key().encode()
	return hmac.new(key, b"attendance_bridge.revision:" + text.encode(), hashlib.sha256).hexdigest()[:32]


def _encrypted_secrets(rows: list[Any]) -> list[Any]:
	if not rows:
		return []
	secrets: list[Any] = frappe.db.sql(
		"SELECT `name`, `fieldname`, `password` FROM `__Auth`"
		" WHERE `doctype` = %s AND `fieldname` IN %s AND `name` IN %s ORDER BY `name`, `fieldname`",
		(
			devices.DOCTYPE,
			[driver_options.SECRET_FIELD, *driver_options.SECRET_FIELDS.values()],
			[row.name for row in rows],
		),
	)
	return [list(row) for row in secrets]


def _revealed(value: Any) -> Any:
	return value.reveal() if isinstance(value, Secret) else value
