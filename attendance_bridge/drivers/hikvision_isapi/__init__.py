"""Hikvision access terminals over ISAPI: HTTP with digest authentication, JSON and XML."""

from __future__ import annotations

from attendance_bridge.drivers.hikvision_isapi.driver import Driver

__all__ = ["Driver"]
