"""A stock ERPNext/HRMS site over its REST API; nothing of ours is installed there."""

from attendance_bridge.upstreams.erpnext_rest.upstream import Upstream

__all__ = ["Upstream"]
