from attendance_bridge.simulators.frappe_site.bridge import Bridge, RelayedTerminal
from attendance_bridge.simulators.frappe_site.service import FrappeSite
from attendance_bridge.simulators.frappe_site.state import FAULTS, SiteState

__all__ = ["FAULTS", "Bridge", "FrappeSite", "RelayedTerminal", "SiteState"]
