"""A ZKTeco terminal on port 4370."""

from attendance_bridge.simulators.zkteco.service import ZktecoTerminal
from attendance_bridge.simulators.zkteco.state import FAULTS, ZktecoState

__all__ = ["FAULTS", "ZktecoState", "ZktecoTerminal"]
