"""Numbers by which ZKTeco terminals name how somebody identified, and which key was pressed."""

from __future__ import annotations

from attendance_bridge.core.punch import DeviceKey, VerifyMode

VERIFY_MODES = {
	0: VerifyMode.PASSWORD,
	1: VerifyMode.FINGER,
	2: VerifyMode.CARD,
	3: VerifyMode.PASSWORD,
	4: VerifyMode.CARD,
	15: VerifyMode.FACE,
	25: VerifyMode.PALM,
}
"""Firmwares number card and password in two ways (zk-protocol: card 2; kurenai-ryu/pyzk#3: password 3, card
4), which do not collide. Anything else, 255 of some SenseFace rows among it, is unknown."""

DEVICE_KEYS = {
	0: DeviceKey.CHECK_IN,
	1: DeviceKey.CHECK_OUT,
	2: DeviceKey.BREAK_OUT,
	3: DeviceKey.BREAK_IN,
	4: DeviceKey.OVERTIME_IN,
	5: DeviceKey.OVERTIME_OUT,
}
