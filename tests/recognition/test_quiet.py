"""What the networks run on tells nobody about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOOK = """
import numpy as np
from attendance_bridge.core.config import parse
from attendance_bridge.edge.secrets import read_secret
from attendance_bridge.edge.vision.networks import open_networks
from attendance_bridge.edge.vision.settings import RecognitionSettings
settings = parse(RecognitionSettings, {"engine": "tiny"}, secrets=read_secret, path="recognition")
open_networks(settings).engine.detect(np.zeros((480, 640, 3), np.uint8))
"""


def test_nothing_is_collected_about_this_machine(tmp_path: Path) -> None:
	environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
	environment.update(
		HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"), XDG_DATA_HOME=str(tmp_path / "data")
	)
	subprocess.run([sys.executable, "-c", LOOK], env=environment, check=True, timeout=60)
	assert list(tmp_path.rglob("*")) == []
