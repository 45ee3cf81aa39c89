"""Where the site is, and how much is handed to it at once."""

from __future__ import annotations

from dataclasses import dataclass

from attendance_bridge.core.config import option
from attendance_bridge.upstreams._frappe.config import SiteConfig

MAX_PUNCHES = 1_000
"""What the site takes in one request; see docs/protocols/agent-api.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(SiteConfig):
	"""Options of `[upstream]` with `kind = "frappe_bridge"`."""

	punches_at_once: int = option(
		500, help="how many punches are sent in one request", minimum=1, maximum=MAX_PUNCHES
	)
	page_length: int = option(1000, help="how many employees are asked for at once", minimum=10, maximum=1000)
