"""A Hikvision access-control terminal that speaks ISAPI."""

from attendance_bridge.simulators.hikvision.service import HikvisionTerminal
from attendance_bridge.simulators.hikvision.state import FAULTS, HikvisionState

__all__ = ["FAULTS", "HikvisionState", "HikvisionTerminal"]
