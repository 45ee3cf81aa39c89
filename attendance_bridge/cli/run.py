"""`attendance-bridge edge run`: the agent at work."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attendance_bridge.cli import ending
from attendance_bridge.cli.options import config_option
from attendance_bridge.core.redact import redact
from attendance_bridge.edge import settings as edge_settings

if TYPE_CHECKING:
	from attendance_bridge.edge.agent import Agent


@click.command()
@config_option
def run(path: Path) -> None:
	"""Read the terminals and deliver their punches until SIGTERM or Ctrl-C."""
	settings = edge_settings.load(path)
	_set_up_logging(settings.agent.log_level)
	# Takes a second or two on a small machine; what is wrong with the file is said before.
	from attendance_bridge.edge.agent import Agent

	agent = Agent(settings)
	try:
		_run(agent)
	finally:
		agent.close()


def _run(agent: Agent) -> None:
	ending.on_signals(agent.request_stop)
	agent.start()
	if agent.web is not None:
		click.echo(f"{agent.settings.agent.name}: {agent.web.address}")
	agent.wait()


class _Redacting(logging.Formatter):
	"""The last fence: whatever looks like a credential is masked, wherever it came from."""

	def format(self, record: logging.LogRecord) -> str:
		return redact(super().format(record))


def _set_up_logging(level: str) -> None:
	handler = logging.StreamHandler()
	handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
	logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
	# These two write a line for every request.
	for chatty in ("urllib3", "cheroot"):
		logging.getLogger(chatty).setLevel(logging.WARNING)
