"""The tables of a seeing agent, and what an agent without them leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge import settings
from tests.edge.vision.rig import Scene, configuration

HEAVY = ("cv2", "numpy", "onnxruntime")


def test_without_the_tables_nothing_heavy_is_loaded(tmp_path: Path) -> None:
	program = (
		"import sys\n"
		"import tests.acceptance.everything\n"
		"from attendance_bridge.edge import settings\n"
		"from attendance_bridge.edge.agent import Agent\n"
		f"tables = {{'agent': {{'database': {str(tmp_path / 'edge.db')!r}}}, 'web': {{'port': 0}}}}\n"
		"agent = Agent(settings.from_mapping(tables))\n"
		"agent.close()\n"
		f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
	)
	done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
	assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize(
	("changes", "code", "path"),
	[
		pytest.param({"gallery": None}, Code.MISSING_KEY, "gallery", id="no-gallery"),
		pytest.param({"recognition": None}, Code.MISSING_KEY, "recognition", id="no-recognition"),
		pytest.param({"recognition": {"engine": "onnx"}}, Code.BAD_VALUE, "recognition", id="no-pack"),
		pytest.param(
			{"recognition": {"engine": "tiny", "liveness_pack": "x"}},
			Code.BAD_VALUE,
			"recognition",
			id="liveness",
		),
		pytest.param(
			{"recognition": {"engine": "tiny", "pipeline": {"decision": {"agree": 0}}}},
			Code.BAD_VALUE,
			"recognition.pipeline.decision.agree",
			id="out-of-bounds",
		),
		pytest.param({"kiosk": {"pause": 3}}, Code.UNKNOWN_KEY, "kiosk.pause", id="unknown"),
		pytest.param(
			{"gallery": {"key_env": "A", "key_file": "/b"}}, Code.BAD_VALUE, "gallery", id="two-key-places"
		),
		pytest.param({"agent": {"name": "x"}}, Code.MISSING_KEY, "agent.timezone", id="no-zone"),
	],
)
def test_tables_that_cannot_be_used(
	scene: Scene, tmp_path: Path, changes: dict[str, Any], code: Code, path: str
) -> None:
	mapping = {**configuration(tmp_path), **changes}
	with pytest.raises(ConfigError) as raised:
		settings.from_mapping({name: table for name, table in mapping.items() if table is not None})
	assert (raised.value.code, raised.value.details["path"]) == (code, path)
