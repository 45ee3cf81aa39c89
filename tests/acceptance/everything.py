"""To import this is to import all that a command may need: see `forked`.

But for the libraries that recognise: they start threads, and a process with threads is not to be forked.
"""

from __future__ import annotations

import importlib

import click

from attendance_bridge import drivers, upstreams
from attendance_bridge.cli.root import root

importlib.import_module("attendance_bridge.edge.agent")
for key in drivers.names():
	drivers.load(key)
for key in upstreams.names():
	upstreams.load(key)

groups: list[click.Group] = [root]
while groups:
	group = groups.pop()
	context = click.Context(group)
	for name in group.list_commands(context):
		command = group.get_command(context, name)
		if isinstance(command, click.Group):
			groups.append(command)
