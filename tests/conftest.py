"""What holds for the whole suite."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture
def reserve_port() -> Iterator[Callable[[], int]]:
	"""A function that gives ports of loopback on which nothing listens until the test has a server do so.

	Each is bound until the end of the test: the system gives it to nobody who asks for any port. A server
	that sets SO_REUSEADDR, as all of ours do, gets it all the same, as often as it likes.
	"""
	with ExitStack() as held:

		def reserve() -> int:
			holder = held.enter_context(socket.socket())
			holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			holder.bind(("127.0.0.1", 0))
			return int(holder.getsockname()[1])

		yield reserve
