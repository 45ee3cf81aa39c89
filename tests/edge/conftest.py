from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from attendance_bridge.edge import poller
from attendance_bridge.edge.web import server
from attendance_bridge.edge.web.access import passwords
from tests.edge.rig import Clock, Edge


class _Compiled(BytecodeCache):
	"""Keeps templates: each test makes an app of its own, and none of them has other pages."""

	def __init__(self) -> None:
		self._kept: dict[str, bytes] = {}

	def load_bytecode(self, bucket: Bucket) -> None:
		if kept := self._kept.get(bucket.key):
			bucket.bytecode_from_string(kept)

	def dump_bytecode(self, bucket: Bucket) -> None:
		self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def compile_once() -> Iterator[None]:
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(Flask, "jinja_options", {"bytecode_cache": _Compiled()})
		yield


@pytest.fixture(scope="session", autouse=True)
def hash_cheaply() -> Iterator[None]:
	"""What a password costs is meant to be much. `web/test_access` looks at that; all others just log in."""
	cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(passwords, "_hasher", cheap)
		patch.setattr(passwords, "_nobody", cheap.hash("nobody"))
		yield


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
	"""A clock that is set by hand wakes nobody: let the poller see soon that it was, and all see a stop."""
	monkeypatch.setattr(poller, "LOOK_EVERY_SECONDS", 0.02)
	monkeypatch.setattr(server, "LOOK_UP_SECONDS", 0.02)


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def edge(tmp_path: Path, clock: Clock) -> Iterator[Edge]:
	opened = Edge(tmp_path, clock)
	yield opened
	opened.close()
