"""ZKTeco terminals that push by themselves (ADMS, /iclock). See docs/protocols/zkteco-adms.md."""

from attendance_bridge.drivers.zkteco_adms.driver import Driver as Driver
