"""Punch Log loses its index on `modified`: no statement goes by it, and each decision moved its entry."""

from __future__ import annotations

from attendance_bridge.attendance_bridge.doctype.punch_log.punch_log import drop_index_on_modified


def execute() -> None:
	drop_index_on_modified()
