"""A camera beside a door: people come, look, turn their heads and go."""

from attendance_bridge.simulators.camera.service import RtspCamera
from attendance_bridge.simulators.camera.state import CameraState

__all__ = ["CameraState", "RtspCamera"]
