"""ZKTeco terminals over their own protocol on port 4370."""

from attendance_bridge.drivers.zkteco_tcp.driver import Driver as Driver
