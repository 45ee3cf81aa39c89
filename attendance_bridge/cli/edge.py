"""`attendance-bridge edge …`: all that belongs to the agent beside the terminals."""

from __future__ import annotations

import click

from attendance_bridge.cli.lazy import LazyGroup


@click.group(
	cls=LazyGroup,
	places={
		"run": "attendance_bridge.cli.run:run",
		"check": "attendance_bridge.cli.check:check",
		"init": "attendance_bridge.cli.init.command:init",
		"user": "attendance_bridge.cli.access:user",
		"key": "attendance_bridge.cli.access:key",
		"factor": "attendance_bridge.cli.factors:factor",
		"tls": "attendance_bridge.cli.access:tls",
		"pair": "attendance_bridge.cli.pairing:pair",
		"punch": "attendance_bridge.cli.entered:punch",
		"scan": "attendance_bridge.cli.scan:scan",
		"backup": "attendance_bridge.cli.backup:backup",
		"restore": "attendance_bridge.cli.backup:restore",
		"export-days": "attendance_bridge.cli.export_days:export_days",
	},
)
def edge() -> None:
	"""The agent beside the terminals."""
