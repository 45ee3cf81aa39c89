"""The processes of a benchmark: simulators that serve beside it, and measurements in a fresh interpreter.

Every process is spawned, not forked: it begins with nothing of the parent's memory, so that its own can be
measured, and no simulator shares an interpreter lock with the client that is measured.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")
_JOIN_SECONDS = 30.0


def alone(function: Callable[..., T], *args: object) -> T:
	"""What `function(*args)` returns in a process that does nothing else."""
	with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
		return pool.submit(function, *args).result()


@contextmanager
def beside(target: Callable[..., None], *args: object) -> Iterator[Connection]:
	"""Run `target(connection, *args)` in a process of its own; yields the near end of the connection.

	The target ends when its end of the connection raises `EOFError`; see `serve_questions`.
	"""
	near, far = _SPAWN.Pipe()
	process = _SPAWN.Process(target=target, args=(far, *args))
	process.start()
	far.close()
	try:
		yield near
	finally:
		near.close()
		process.join(_JOIN_SECONDS)
		if process.is_alive():
			process.terminate()
			process.join()


def serve_questions(connection: Connection, answers: dict[str, Callable[[], Any]]) -> None:
	"""Answer questions by their names until the other end is closed."""
	while True:
		try:
			question = connection.recv()
		except EOFError:
			return
		connection.send(answers[question]())


def ask(connection: Connection, question: str) -> Any:
	"""Put a question to a process that serves them."""
	connection.send(question)
	return connection.recv()


def resident_bytes() -> int:
	"""Memory that this process has at the moment."""
	return _memory("VmRSS")


def peak_resident_bytes() -> int:
	"""The most that this process has had at a time.

	Not `resource.getrusage`: its figure begins with that of the process from which this one was spawned.
	"""
	return _memory("VmHWM")


def _memory(field: str) -> int:
	for line in Path("/proc/self/status").read_text().splitlines():
		name, _, value = line.partition(":")
		if name == field:
			return int(value.split()[0]) * 1024
	raise OSError(f"/proc/self/status has no {field}")
