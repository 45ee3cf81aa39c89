"""Where the site is, and how gently it is to be treated."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from attendance_bridge.core.config import option
from attendance_bridge.upstreams._frappe.config import SiteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(SiteConfig):
	"""Options of `[upstream]` with `kind = "erpnext_rest"`."""

	timezone: ZoneInfo = option(help="time zone in the site's System Settings; HRMS keeps times without one")
	concurrency: int = option(4, help="how many check-ins are posted at the same time", minimum=1, maximum=16)
	settle_seconds: float = option(
		120.0,
		help="how long a check-in of unknown outcome rests before the site is asked about it",
		minimum=0,
		maximum=3600,
	)
	page_length: int = option(500, help="how many employees are asked for at once", minimum=10, maximum=5000)
