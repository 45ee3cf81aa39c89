"""Commands that are imported once they are named: a start costs what one command needs, not what all do."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
	"""A group that knows where each of its commands stands."""

	def __init__(self, *args: Any, places: Mapping[str, str], **kwargs: Any) -> None:
		"""
		:param places: `module:name` of each command, by what the user types.
		"""
		super().__init__(*args, **kwargs)
		self._places = dict(places)

	def list_commands(self, ctx: click.Context) -> list[str]:
		return sorted(self._places)

	def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
		if cmd_name not in self._places:
			return None
		module, _, name = self._places[cmd_name].partition(":")
		command: click.Command = getattr(importlib.import_module(module), name)
		return command
