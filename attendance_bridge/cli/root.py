"""The command tree, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import click

from attendance_bridge import __version__
from attendance_bridge.cli.demo import demo
from attendance_bridge.cli.edge import edge
from attendance_bridge.cli.gallery import gallery
from attendance_bridge.cli.held import outbox, punches
from attendance_bridge.cli.models import models
from attendance_bridge.cli.pull import pull
from attendance_bridge.cli.simulate import simulate
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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="attendance-bridge")
def root() -> None:
	"""Every punch on every terminal becomes exactly one check-in.

	\b
	Exit codes: 0 done, 1 unexpected, 2 configuration or usage, 3 terminal, 4 site, 5 database,
	6 recognition.
	"""


for command in (demo, edge, pull, punches, outbox, gallery, simulate, models):
	root.add_command(command)


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
