from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance_bridge.stores.database import Database
from tests.stores.samples import SmallDisk


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
	with Database.open(tmp_path / "bridge.db") as database:
		yield database


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
	folder = tmp_path / "disk"
	folder.mkdir()
	mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
	if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
		pytest.skip("needs the right to mount a small file system")
	try:
		yield SmallDisk(folder)
	finally:
		subprocess.run(["umount", "--lazy", str(folder)], check=True)
