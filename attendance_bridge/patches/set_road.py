"""Device Configurations from before there were roads learn theirs."""

from __future__ import annotations

import frappe

from attendance_bridge.bench import devices


def execute() -> None:
	for row in frappe.get_all(devices.DOCTYPE, {"road": ("is", "not set")}, ["name", "driver", "edge_agent"]):
		road = devices.road_of(row.driver, row.edge_agent)
		frappe.db.set_value(devices.DOCTYPE, row.name, "road", road, update_modified=False)
