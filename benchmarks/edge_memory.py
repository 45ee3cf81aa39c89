"""A whole agent with a camera: its memory with 5,000 templates, and its CPU time while nobody is there.

The agent runs in a process of its own: simulated camera, generated networks (or small real ones, with
--models), gallery, pages, uploader. Nothing else runs in that process but what draws the camera's wall.

    python benchmarks/edge_memory.py [--models FOLDER] [--seconds N] [--templates N]

The last two lines are the resident memory as a share of 300 MB, and the CPU time while nobody is there, at
five frames a second, as a share of 15 % of one core. Not counted there is the CPU time of drawing the scene,
which a real camera does not need; it is measured by itself in the same run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from _figures import MEGABYTE, verdict
from _packs import add_models_option, lay_out
from _processes import alone, resident_bytes

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Template
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.simulators.camera import CameraState
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.sealed import GalleryKey

KEY_VARIABLE = "BENCHMARK_GALLERY_KEY"
MEMORY_GOAL = 300 * MEGABYTE
CPU_GOAL = 0.15
FPS = 5
CAMERA_FPS = 10
SETTLE_SECONDS = 8.0
PACK = "scrfd_mobilefacenet"


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
	add_models_option(parser)
	parser.add_argument("--seconds", type=float, default=30.0, help="how long is measured (default: 30)")
	parser.add_argument("--templates", type=int, default=5_000, help="how many templates (default: 5,000)")
	options = parser.parse_args()
	is_real = (options.models / "det_500m.onnx").is_file()
	networks = PACK if is_real else "generated (no real ones are here)"
	print(f"networks: {networks}, {options.templates:,} templates")
	found = alone(_measure, options.models if is_real else None, options.templates, options.seconds)
	idle, drawing = found["cpu"], found["drawing"]
	resident, before = found["resident"] / MEGABYTE, found["before"] / MEGABYTE
	print(f"resident: {resident:.0f} MB, {before:.0f} MB of them before the agent was made")
	print(
		f"CPU while nobody is there: {100 * idle:.1f} % of one core, {100 * drawing:.1f} points for drawing"
	)
	print(f"detector looked {found['looks']:.2f} times a second")
	print(verdict(found["resident"] / MEMORY_GOAL, "<=1"))
	print(verdict((idle - drawing) / CPU_GOAL, "<=1"))


def _measure(models: Path | None, templates: int, seconds: float) -> dict[str, float]:
	before = resident_bytes()
	with tempfile.TemporaryDirectory() as folder, _agent(Path(folder), models, templates) as agent:
		assert agent.vision is not None
		assert agent.web is not None
		_wait(agent, templates)
		urllib.request.urlopen(f"{agent.web.address}healthz", timeout=10).read()
		time.sleep(SETTLE_SECONDS)
		looked = agent.vision.engine.detections
		frames = agent.vision.reader.status().frames
		began, cpu = time.monotonic(), time.process_time()
		time.sleep(seconds)
		used = (time.process_time() - cpu) / (time.monotonic() - began)
		drawn = agent.vision.reader.status().frames - frames
		return {
			"before": before,
			"resident": resident_bytes(),
			"cpu": used,
			"drawing": _drawing_seconds() * drawn / seconds,
			"looks": (agent.vision.engine.detections - looked) / seconds,
		}


@contextmanager
def _agent(folder: Path, models: Path | None, templates: int) -> Iterator[Agent]:
	os.environ[KEY_VARIABLE] = GalleryKey.new().text()
	recognition: dict[str, Any] = {"threads": 2, "frames_per_second": FPS}
	if models is None:
		recognition["engine"] = "tiny"
	else:
		recognition["pack"] = str(lay_out(PACK, models, folder))
	agent = Agent(
		edge_settings.from_mapping(
			{
				"agent": {"database": str(folder / "edge.db"), "timezone": "Asia/Dubai"},
				"web": {"port": 0},
				"camera": {"kind": "simulated", "play": "nobody", "fps": CAMERA_FPS},
				"recognition": recognition,
				"gallery": {"key_env": KEY_VARIABLE},
			}
		)
	)
	try:
		_fill(agent, templates)
		agent.start()
		yield agent
		agent.request_stop()
		agent.wait()
	finally:
		agent.close()


def _fill(agent: Agent, templates: int) -> None:
	"""Five templates each of people whose faces are random numbers."""
	assert agent.vision is not None
	engine, now = agent.vision.engine, datetime.now(timezone.utc)
	chance = np.random.default_rng(7)
	employees = [f"HR-EMP-{number:05d}" for number in range((templates + 4) // 5)]
	Consents(agent.database).give(
		Consent(employee=employee, given_at=now, text_version="1", text_sha256="0" * 64)
		for employee in employees
	)
	vectors = chance.standard_normal((templates, engine.dimension)).astype("<f4")
	vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
	agent.vision.gallery.add(
		Template(
			template_id=uuid.uuid4(),
			employee=employees[number // 5],
			model=engine.model,
			vector=vector.tobytes(),
			captured_at=now,
		)
		for number, vector in enumerate(vectors)
	)


def _wait(agent: Agent, templates: int) -> None:
	assert agent.vision is not None
	deadline = time.monotonic() + 60
	while agent.vision.live.state.templates < templates or not agent.vision.live.state.last_frame_at:
		if time.monotonic() > deadline:
			raise SystemExit("the agent did not take its gallery over")
		time.sleep(0.1)


def _drawing_seconds() -> float:
	"""CPU seconds that one picture of the wall takes."""
	state = CameraState(fps=CAMERA_FPS)
	state.frame(0)
	began = time.process_time()
	for number in range(100):
		state.frame(number)
	return (time.process_time() - began) / 100


if __name__ == "__main__":
	main()
