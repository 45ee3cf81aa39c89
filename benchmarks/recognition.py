"""What recognition costs beyond its two networks, and against a loop over insightface's FaceAnalysis.

1. A frame of 640×480 with one face: detect, align, embed, and match among 1,000 templates. The rival: ONNX
   Runtime alone with the same two networks and the same session options, on arrays that are ready-made.
   Frames in turn; the ratio is the median of the rounds' own.
2. A scene of 30 seconds at 10 frames a second: for 8 seconds nobody, then a person comes, stays for 12, and
   goes. Ours: the pipeline, motion gate and all. The rival: `FaceAnalysis` with its defaults on a folder with
   the same two networks, `get` for every frame, and the same search. Both read the frames from one file,
   each in a process of its own. CPU time is that of looking at frames (all threads), memory what is resident
   at the end of the scene.

The second part needs an interpreter that has insightface. It cannot well be that of the project: insightface
brings `opencv-python`, the project has `opencv-python-headless`, and both are the package cv2.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np
import numpy.typing as npt
from _figures import MEGABYTE, spread, verdict
from _packs import add_models_option, lay_out, skip
from _processes import alone, resident_bytes

from attendance_bridge.core.template import Template
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.events import EventKind
from attendance_bridge.recognition.face import Frame, Image
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.recognition.pack import open_pack
from attendance_bridge.recognition.pipeline import Pipeline, PipelineSettings
from attendance_bridge.recognition.runtime import load_cv2, session_options

PACK = "scrfd_mobilefacenet"
WIDTH, HEIGHT = 640, 480
FRAMES_A_SECOND, SECONDS = 10, 30
COMES, GOES = 8, 20
FACE_SIDE = 300
TEMPLATES = 1_000
NOON = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)
GOAL_TIME, GOAL_CPU, GOAL_MEMORY = 1.10, 3, 0.6

Floats = npt.NDArray[np.float32]


class Scene:
	"""The place before the camera, with a little noise, and a person who comes, sways and goes."""

	def __init__(self, pictures: list[Path]) -> None:
		chance = np.random.default_rng(5)
		cv2 = load_cv2()
		rough = chance.integers(40, 120, (12, 16, 3), dtype=np.uint8)
		self._place: Image = cv2.resize(rough, (WIDTH, HEIGHT))
		self._noise = chance.integers(0, 6, (HEIGHT + 50, WIDTH + 50, 3), dtype=np.uint8)
		self._faces = [cv2.resize(cv2.imread(str(path)), (FACE_SIDE, FACE_SIDE)) for path in pictures]

	def frame(self, number: int) -> Image:
		image = self._place.copy()
		second = number / FRAMES_A_SECOND
		if COMES <= second < GOES:
			face = self._faces[int(second - COMES) // 4 % len(self._faces)]
			left = round(WIDTH / 2 - FACE_SIDE / 2 + 30 * np.sin(second))
			image[100 : 100 + FACE_SIDE, left : left + FACE_SIDE] = face
		row, column = number * 7 % 50, number * 13 % 50
		image += self._noise[row : row + HEIGHT, column : column + WIDTH]
		return image


def make_matcher(model: str, embedding: Floats) -> Matcher:
	"""Strangers by chance, and one person."""
	chance = np.random.default_rng(6)
	rows = chance.normal(size=(TEMPLATES, embedding.size)).astype(np.float32)
	rows[0] = embedding
	rows /= np.linalg.norm(rows, axis=1, keepdims=True)
	matcher = Matcher(model, embedding.size)
	matcher.add(
		Template(
			template_id=UUID(int=number + 1),
			employee=f"HR-EMP-{number:05}",
			model=model,
			vector=row.astype("<f4").tobytes(),
			captured_at=NOON,
		)
		for number, row in enumerate(rows)
	)
	return matcher


# one frame


def bare_networks(pack: Path, threads: int) -> Callable[[], object]:
	import onnxruntime

	manifest = open_pack(pack).manifest
	options = session_options(threads)
	calls = []
	for spec, shape in ((manifest.detector, (HEIGHT, WIDTH)), (manifest.embedder, (112, 112))):
		session = onnxruntime.InferenceSession(
			str(pack / spec.file.name), options, providers=["CPUExecutionProvider"]
		)
		blob = np.random.default_rng(7).normal(size=(1, 3, *shape)).astype(np.float32)
		calls.append(partial(session.run, None, {session.get_inputs()[0].name: blob}))
	return lambda: [call() for call in calls]


def whole_frame(pack: Path, threads: int, image: Image) -> Callable[[], object]:
	engine = open_engine(EngineKind.ONNX, pack, threads)
	first = engine.detect(image)[0]
	matcher = make_matcher(engine.model, engine.embed(align(image, first.landmarks)))

	def recognise() -> object:
		(face,) = engine.detect(image)
		match = matcher.search(engine.embed(align(image, face.landmarks)))
		if match is None or match.cosine < 0.9:
			raise SystemExit("the face was not recognised")
		return match

	return recognise


def measure_frame(pack: Path, threads: int, image: Image, rounds: int) -> float:
	acts = whole_frame(pack, threads, image), bare_networks(pack, threads)
	taken: tuple[list[float], list[float]] = ([], [])
	for number in range(rounds + 5):
		for act, times in zip(acts, taken, strict=True):
			started = time.perf_counter()
			act()
			if number >= 5:  # the first few warm up
				times.append((time.perf_counter() - started) * 1e3)
	print(f"one frame of {WIDTH}×{HEIGHT} with one face, {threads} thread(s) a network")
	print(f"  detect, align, embed, match {spread(taken[0], 'ms')}")
	print(f"  the two networks alone      {spread(taken[1], 'ms')}")
	return median(ours / bare for ours, bare in zip(*taken, strict=True))


# a scene


def run_ours(pack: Path, threads: int, frames: Path) -> tuple[float, int, int]:
	"""CPU seconds, resident bytes at the end, and how often somebody was recognised."""
	engine = open_engine(EngineKind.ONNX, pack, threads)
	shown = next(image for second, image in read_frames(frames) if second == COMES)
	embedding = engine.embed(align(shown, engine.detect(shown)[0].landmarks))
	embedder = open_pack(pack).manifest.embedder
	if embedder is None:
		raise SystemExit("the pack has no embedder")
	pipeline = Pipeline(
		engine=engine,
		matcher=make_matcher(engine.model, embedding),
		threshold=embedder.threshold(1e-5),
		settings=PipelineSettings(),
	)
	spent, recognised = 0.0, 0
	for second, image in read_frames(frames):
		frame = Frame(pixels=image, seconds=second, taken_at=NOON + timedelta(seconds=second))
		started = time.process_time()
		sight = pipeline.process(frame)
		spent += time.process_time() - started
		recognised += sum(event.kind is EventKind.RECOGNISED for event in sight.events)
	return spent, resident_bytes(), recognised


def read_frames(path: Path) -> Iterator[tuple[float, Image]]:
	with path.open("rb") as file:
		number = 0
		while content := file.read(WIDTH * HEIGHT * 3):
			yield number / FRAMES_A_SECOND, np.frombuffer(content, np.uint8).reshape(HEIGHT, WIDTH, 3)
			number += 1


def run_face_analysis(python: str, pack: Path, frames: Path) -> tuple[float, int, int]:
	"""CPU seconds, resident bytes at the end, and in how many frames a face was found."""
	rival = Path(__file__).with_name("_face_analysis.py")
	arguments = [pack.parent.parent, pack.name, frames, WIDTH, HEIGHT]
	done = subprocess.run(
		[python, "-W", "ignore", rival, *map(str, arguments)], check=True, capture_output=True, text=True
	)
	cpu, resident, found = json.loads(done.stdout.splitlines()[-1])
	return cpu, resident, found


def measure_scene(pack: Path, threads: int, scene: Scene, rounds: int, python: str) -> tuple[float, float]:
	"""How many times our CPU time the rival takes, and what share of its memory we do."""
	ours, theirs = [], []
	frames = pack.with_name("frames.raw")
	with frames.open("wb") as file:
		for number in range(SECONDS * FRAMES_A_SECOND):
			file.write(scene.frame(number).tobytes())
	for _ in range(rounds):
		ours.append(alone(run_ours, pack, threads, frames))
		theirs.append(run_face_analysis(python, pack, frames))
	if any(recognised != 1 for _cpu, _memory, recognised in ours):
		raise SystemExit("the person who came was not recognised exactly once")
	if any(found < (GOES - COMES) * FRAMES_A_SECOND * 0.9 for _cpu, _memory, found in theirs):
		raise SystemExit("FaceAnalysis missed the person")
	print(f"a scene of {SECONDS} s at {FRAMES_A_SECOND} frames a second, one person for {GOES - COMES} s")
	for name, runs in (("pipeline    ", ours), ("FaceAnalysis", theirs)):
		print(f"  {name}  CPU     {spread([cpu for cpu, _memory, _count in runs], 's')}")
		print(f"  {name}  memory  {spread([memory / MEGABYTE for _cpu, memory, _count in runs], 'MB')}")
	cpu = [median(run[0] for run in runs) for runs in (ours, theirs)]
	memory = [median(run[1] for run in runs) for runs in (ours, theirs)]
	return cpu[1] / cpu[0], memory[0] / memory[1]


def has_insightface(python: str) -> bool:
	looked = subprocess.run([python, "-c", "import insightface"], check=False, capture_output=True)
	return looked.returncode == 0


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--faces", type=Path, help="a folder with several pictures of one person")
	parser.add_argument("--rounds", type=int, default=60, help="frames of the first part")
	parser.add_argument("--scenes", type=int, default=3, help="runs of the second part")
	parser.add_argument("--threads", type=int, default=1, help="that a network may use")
	parser.add_argument("--rival-python", default=sys.executable, help="an interpreter with insightface")
	add_models_option(parser)
	options = parser.parse_args()
	faces = options.faces or options.models.parent / "faces" / "Colin_Powell"
	if not faces.is_dir():
		skip(f"there are no pictures at {faces}: name a folder with --faces")
	pictures = sorted(faces.iterdir())[:3]
	with tempfile.TemporaryDirectory() as folder:
		# FaceAnalysis looks for a folder called models.
		models = Path(folder, "models")
		models.mkdir()
		pack = lay_out(PACK, options.models, models)
		scene = Scene(pictures)
		image = scene.frame(COMES * FRAMES_A_SECOND)
		ratio = measure_frame(pack, options.threads, image, options.rounds)
		if not has_insightface(options.rival_python):
			print("insightface is not installed here: the scene is not measured; see --rival-python")
		else:
			cpu, memory = measure_scene(pack, options.threads, scene, options.scenes, options.rival_python)
			print(verdict(cpu, f">={GOAL_CPU}", "scene_cpu_ratio"))
			print(verdict(memory, f"<={GOAL_MEMORY}", "scene_memory_ratio"))
	print(verdict(ratio, f"<={GOAL_TIME}"))


if __name__ == "__main__":
	main()
