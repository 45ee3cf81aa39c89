"""ZKTeco terminals that push over HTTP (ADMS): many of them, cheaply, in one thread."""

from attendance_bridge.simulators.adms_terminal.service import AdmsFleet
from attendance_bridge.simulators.adms_terminal.state import FAULTS, AdmsState, Dialect

__all__ = ["FAULTS", "AdmsFleet", "AdmsState", "Dialect"]
