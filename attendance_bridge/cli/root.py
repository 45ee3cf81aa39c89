"""The command tree, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import click

from attendance_bridge import __version__
from attendance_bridge.cli.lazy import LazyGroup
from attendance_bridge.core.errors import (
	BridgeError,
	ConfigError,
	DeviceError,
	RecognitionError,
	StoreError,
	UpstreamError,
)
from attendance_bridge.edge.messages import sentence

EXIT_CODES: tuple[tuple[type[BridgeError], int], ...] = (
	(ConfigError, 2),
	(DeviceError, 3),
	(UpstreamError, 4),
	(StoreError, 5),
	(RecognitionError, 6),
)
INTERRUPTED = 130
"""What shells expect of a program ended by Ctrl-C."""


@click.group(
	cls=LazyGroup,
	places={
		"demo": "attendance_bridge.cli.demo:demo",
		"edge": "attendance_bridge.cli.edge:edge",
		"pull": "attendance_bridge.cli.pull:pull",
		"punches": "attendance_bridge.cli.held:punches",
		"outbox": "attendance_bridge.cli.held:outbox",
		"gallery": "attendance_bridge.cli.gallery:gallery",
		"simulate": "attendance_bridge.cli.simulate:simulate",
		"models": "attendance_bridge.cli.models:models",
	},
	context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="attendance-bridge")
def root() -> None:
	"""Every punch on every terminal becomes exactly one check-in.

	\b
	Exit codes: 0 done, 1 unexpected, 2 configuration or usage, 3 terminal, 4 site, 5 database,
	6 recognition.
	"""


def run(arguments: Sequence[str]) -> int:
	"""Run one command; returns the exit code."""
	try:
		result = root.main(list(arguments), standalone_mode=False)
	except click.ClickException as error:
		error.show()
		return error.exit_code
	except (click.Abort, KeyboardInterrupt):
		return INTERRUPTED
	except BridgeError as error:
		logging.getLogger(__name__).debug("%r", error)
		click.echo(f"Error: {sentence(error)}", err=True)
		return exit_code(error)
	return result if isinstance(result, int) else 0


def exit_code(error: BridgeError) -> int:
	for kind, code in EXIT_CODES:
		if isinstance(error, kind):
			return code
	return 1
