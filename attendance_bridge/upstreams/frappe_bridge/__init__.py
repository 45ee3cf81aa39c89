"""An ERPNext/HRMS site that has this app: it decides, and says which terminals to read."""

from attendance_bridge.upstreams.frappe_bridge.upstream import Upstream

__all__ = ["Upstream"]
