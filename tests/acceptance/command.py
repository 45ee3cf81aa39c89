"""The command line as a user has it: a command in a process of its own, and what it prints."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.acceptance import forked

PROGRAM = Path(sys.executable).with_name("attendance-bridge")
"""The installed command."""
PATIENCE = 60.0
"""Seconds that anything here may take at the most; all of it takes one or two."""


@dataclass(frozen=True, kw_only=True)
class Finished:
	"""What a command that has ended leaves behind."""

	code: int
	out: str
	err: str

	@property
	def json(self) -> Any:
		return json.loads(self.out)

	@property
	def words(self) -> str:
		"""Everything the user saw, in one line: a long sentence may be wrapped."""
		return " ".join(f"{self.out}\n{self.err}".split())


def run(*arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Finished:
	"""Run a command to its end, forked."""
	with tempfile.TemporaryDirectory(prefix="command-") as folder:
		out, err = Path(folder) / "out", Path(folder) / "err"
		process = forked.start([*map(str, arguments)], env=environment(env), cwd=cwd, out=out, err=err)
		process.join(PATIENCE)
		if process.exitcode is None:
			process.kill()
		process.join()
		code = process.exitcode
		process.close()
		assert code is not None
		return Finished(code=code, out=_read(out), err=_read(err))


def _read(file: Path) -> str:
	return file.read_text(encoding="utf-8") if file.exists() else ""


def run_installed(*arguments: object, typed: str = "", cwd: Path | None = None) -> Finished:
	"""Run the installed program to its end, as a shell does.

	:param typed: its standard input.
	"""
	done = subprocess.run(
		[PROGRAM, *map(str, arguments)],
		env=environment(),
		cwd=cwd,
		input=typed,
		capture_output=True,
		text=True,
		timeout=PATIENCE,
		check=False,
	)
	return Finished(code=done.returncode, out=done.stdout, err=done.stderr)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
	"""The environment of a plain terminal window that is wide enough for any line."""
	plain = {key: value for key, value in os.environ.items() if not key.startswith(("ATTENDANCE_", "PYTEST"))}
	return {**plain, "COLUMNS": "200", "NO_COLOR": "1", **(more or {})}


class Running:
	"""A command that goes on until it is told to end; it is ended with the test in any case."""

	def __init__(
		self,
		*arguments: object,
		log: Path,
		env: Mapping[str, str] | None = None,
		program: Path | None = None,
	) -> None:
		"""
		:param log: where what it prints goes, standard output and standard error together.
		:param program: started as a shell does, instead of a command that is forked.
		"""
		self._log = log
		self._process = (
			forked.start([*map(str, arguments)], env=environment(env), cwd=None, out=log, err=log)
			if program is None
			else _Started([program, *map(str, arguments)], environment(env), log)
		)

	@property
	def printed(self) -> str:
		return _read(self._log)

	@property
	def is_alive(self) -> bool:
		return self._process.exitcode is None

	def wait_for(self, text: str) -> str:
		"""Wait until `text` has been printed; returns the line that holds it."""
		wait_until(lambda: text in self.printed or not self.is_alive, f"{text!r} was not printed")
		lines = [line for line in self.printed.splitlines() if text in line]
		assert lines, f"ended without printing {text!r}: {self.printed}"
		return lines[0]

	def kill(self) -> None:
		"""End it as a power cut would: no signal handler, no clean-up."""
		self._process.kill()
		self._process.join()

	def end(self, signal_number: int = signal.SIGTERM) -> int:
		"""Ask it to end; returns its exit code."""
		assert self._process.pid is not None
		os.kill(self._process.pid, signal_number)
		self._process.join(PATIENCE)
		assert self._process.exitcode is not None, f"does not end: {self.printed}"
		return self._process.exitcode

	def __enter__(self) -> Running:
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		if self.is_alive:
			self.kill()


class _Started(subprocess.Popen[bytes]):
	"""A program with the verbs of a forked process."""

	def __init__(self, command: list[Path | str], env: Mapping[str, str], log: Path) -> None:
		with log.open("wb") as file:
			super().__init__(
				command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
			)

	@property
	def exitcode(self) -> int | None:
		return self.poll()

	def join(self, timeout: float | None = None) -> None:
		with contextlib.suppress(subprocess.TimeoutExpired):
			self.wait(timeout)


def wait_until(
	condition: Callable[[], bool], otherwise: str, *, seconds: float = PATIENCE, every: float = 0.005
) -> None:
	"""Look again and again until `condition` holds.

	:param every: seconds from look to look; an agent's page answers 600 in a minute.
	:raises AssertionError: it does not come to hold in time.
	"""
	deadline = time.monotonic() + seconds
	while not condition():
		assert time.monotonic() < deadline, otherwise
		time.sleep(every)


EVERY_PAGE = 0.15
"""`every` where each look asks for a page."""
