"""A command in a process that was forked from one with everything imported.

To import what the command needs takes a second or two of a processor, to do what a test asks of it a fraction
of that. So the imports are made once for a whole run of tests, in a server that does nothing else; from there
on a command is what it is for a user: its own process, environment, folder and files, ended by itself or by a
signal. That the installed program starts by itself is shown where `command.PROGRAM` is run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from attendance_bridge.cli import entry

_CONTEXT = get_context("forkserver")
# The last, for `python -m pytest`: each process imports the main module of the one that asked for it.
_CONTEXT.set_forkserver_preload(["tests.acceptance.everything", __name__, "pytest"])


def start(
	arguments: list[str], *, env: Mapping[str, str], cwd: Path | None, out: Path, err: Path
) -> BaseProcess:
	"""
	:param env: the whole of its environment.
	:param out: file to which standard output is appended; `err` may be the same one.
	"""
	process = _CONTEXT.Process(target=_main, args=(arguments, dict(env), cwd or Path.cwd(), out, err))
	process.start()
	return process


def _main(arguments: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
	os.environ.clear()
	os.environ.update(env)
	time.tzset()
	os.chdir(cwd)
	for number, path in ((1, out), (2, err)):
		file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
		os.dup2(file, number)
		os.close(file)
	sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
	sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
	sys.argv = ["attendance-bridge", *arguments]
	entry.main()
