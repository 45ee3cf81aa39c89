"""The three engines, with generated networks everywhere and with real ones where they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition import tiny
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.pack import MANIFEST
from attendance_bridge.recognition.runtime import load_cv2
from tests.recognition.conftest import lay_out
from tests.recognition.drawing import blank, draw

SAME = 0.999


def embed_first(engine: Engine, image: Image) -> Floats:
	face = engine.detect(image)[0]
	return engine.embed(align(image, face.landmarks))


def lay_out_tiny(folder: Path, detector: bytes, embedder: bytes, *, yunet: bool, sface: bool) -> Path:
	"""A pack of generated networks that take pixels as the real ones of other engines do."""
	tiny.make_pack(folder)
	text = (folder / MANIFEST).read_text()
	for name, new in (("tiny_scrfd.onnx", detector), ("tiny_embedder.onnx", embedder)):
		old = (folder / name).read_bytes()
		(folder / name).write_bytes(new)
		text = text.replace(hashlib.sha256(old).hexdigest(), hashlib.sha256(new).hexdigest())
		text = text.replace(f'"{name}"\nbytes = {len(old)}', f'"{name}"\nbytes = {len(new)}')
	head, detecting, embedding, rest = text.split("\n[", 1)[0], *_tables(text)
	if yunet:
		detecting = detecting.replace('"scrfd"', '"yunet"').replace('"rgb"', '"bgr"')
		detecting = detecting.replace("127.5", "0.0").replace("128.0", "1.0")
	if sface:
		embedding = embedding.replace("mean = [127.5, 127.5, 127.5]", "").replace(
			"std = [127.5, 127.5, 127.5]", ""
		)
	(folder / MANIFEST).write_text("\n".join((head, detecting, embedding, rest)))
	return folder


def _tables(text: str) -> tuple[str, str, str]:
	first, second, third = (text.index(f"\n[{role}]") for role in ("detector", "embedder", "liveness"))
	return text[first:second], text[second:third], text[third:]


# generated networks


@pytest.mark.parametrize("scale", [0.5, 0.8, 1, 1.7, 2.5, 3.5])
def test_the_tiny_detector_finds_a_drawn_face_where_it_is(tiny_engine: Engine, scale: float) -> None:
	found = tiny_engine.detect(draw(blank(), 7, 40, 30, scale=scale))
	assert len(found) == 1
	drawn = np.array([[38, 52], [74, 52], [56, 72], [41, 92], [71, 92]]) * scale + [40, 30]
	np.testing.assert_allclose(found[0].landmarks, drawn, atol=0.5 * scale)
	np.testing.assert_allclose(
		found[0].box, np.array([10, -4, 102, 120]) * scale + [40, 30, 40, 30], atol=scale
	)


def test_the_tiny_networks_tell_people_apart(tiny_engine: Engine) -> None:
	people = [0, 1, 30, 31, 450, 899]
	embeddings = np.stack(
		[embed_first(tiny_engine, draw(blank(), each, 100, 60, scale=1.3)) for each in people]
	)
	cosines = embeddings @ embeddings.T
	np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
	assert cosines[~np.eye(len(people), dtype=bool)].max() < 0.4


@pytest.mark.parametrize("turn", [{"yaw": 0.6}, {"yaw": -0.6}, {"pitch": 0.5}, {"pitch": -0.5}, {"roll": 20}])
def test_the_tiny_networks_know_a_turned_head(tiny_engine: Engine, turn: dict[str, float]) -> None:
	ahead = embed_first(tiny_engine, draw(blank(), 12, 100, 60))
	turned = embed_first(tiny_engine, draw(blank(), 12, 250, 200, scale=1.2, **turn))
	assert float(ahead @ turned) > 0.85


def test_neighbours_are_two_faces_and_nothing_between(tiny_engine: Engine) -> None:
	image = draw(draw(blank(), 3, 30, 50, scale=1.0), 4, 130, 60, scale=1.2)
	assert len(tiny_engine.detect(image)) == 2


def test_nobody_is_there(tiny_engine: Engine) -> None:
	assert list(tiny_engine.detect(blank())) == []
	noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
	assert list(tiny_engine.detect(noise)) == []


@pytest.mark.parametrize("size", [(640, 480), (320, 240), (1280, 720), (480, 640), (300, 300)])
def test_a_picture_may_have_any_size(tiny_engine: Engine, size: tuple[int, int]) -> None:
	found = tiny_engine.detect(draw(blank(*size), 7, 30, 30))
	assert len(found) == 1
	np.testing.assert_allclose(found[0].landmarks[2], [30 + 56 * 1.5, 30 + 72 * 1.5], atol=2)


def test_yunet_and_sface_as_onnx_and_as_opencv(tmp_path: Path) -> None:
	pack = lay_out_tiny(tmp_path, tiny.make_yunet(), tiny.make_sface(), yunet=True, sface=True)
	image = draw(blank(), 77, 200, 120, scale=1.6)
	ours, theirs = (open_engine(kind, pack, 1) for kind in (EngineKind.ONNX, EngineKind.OPENCV))
	assert ours.model == theirs.model
	np.testing.assert_allclose(ours.detect(image)[0].landmarks, theirs.detect(image)[0].landmarks, atol=1.5)
	assert float(embed_first(ours, image) @ embed_first(theirs, image)) > SAME


@pytest.mark.parametrize("kind", [EngineKind.OPENCV, EngineKind.INSIGHTFACE])
def test_an_engine_refuses_what_it_cannot_run(tiny_pack: Path, tmp_path: Path, kind: EngineKind) -> None:
	pack = tiny_pack
	if kind is EngineKind.INSIGHTFACE:
		pytest.importorskip("insightface", reason="insightface is not installed here")
		pack = lay_out_tiny(tmp_path, tiny.make_yunet(), tiny.make_sface(), yunet=True, sface=True)
	with pytest.raises(RecognitionError) as caught:
		open_engine(kind, pack, 1)
	assert caught.value.code is Code.MODEL_UNFIT
	assert "onnx" in str(caught.value)


def test_an_engine_says_which_package_is_missing(tiny_pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
	with pytest.raises(RecognitionError) as caught:
		open_engine(EngineKind.ONNX, tiny_pack, 1)
	assert (caught.value.code, caught.value.details["package"]) == (Code.NOT_INSTALLED, "onnxruntime")


def test_a_network_that_is_not_what_the_manifest_says(tmp_path: Path) -> None:
	tiny.make_pack(tmp_path)
	manifest = tmp_path / MANIFEST
	manifest.write_text(manifest.read_text().replace("dimension = 128", "dimension = 512"))
	with pytest.raises(RecognitionError, match="128 numbers"):
		open_engine(EngineKind.ONNX, tmp_path, 1)


def test_what_is_no_network(tmp_path: Path) -> None:
	pack = lay_out_tiny(tmp_path, b"no network", tiny.make_embedder(), yunet=False, sface=False)
	with pytest.raises(RecognitionError) as caught:
		open_engine(EngineKind.ONNX, pack, 1)
	assert caught.value.code is Code.MODEL_UNFIT


def test_the_same_generated_pack_through_insightface(tiny_pack: Path) -> None:
	pytest.importorskip("insightface", reason="insightface is not installed here")
	refuse_difference(tiny_pack, [draw(blank(), 77, 200, 120, scale=scale) for scale in (0.7, 1.6, 2.4)])


# real networks


@pytest.mark.parametrize("name", ["scrfd_mobilefacenet", "yunet_mobilefacenet"])
def test_real_faces_are_found_and_told_apart(name: str, faces: Path, tmp_path: Path) -> None:
	pack = lay_out(name, tmp_path)
	engine = open_engine(EngineKind.ONNX, pack, 1)
	people = sorted(faces.iterdir())[:4]
	embeddings = np.stack(
		[
			embed_first(engine, load_cv2().imread(str(path)))
			for person in people
			for path in sorted(person.iterdir())[:3]
		]
	)
	cosines = embeddings @ embeddings.T
	same = np.kron(np.eye(len(people)), np.ones((3, 3))).astype(bool)
	assert cosines[~same].max() < 0.463 <= np.median(cosines[same])


def test_the_same_real_pack_through_insightface(faces: Path, tmp_path: Path) -> None:
	pytest.importorskip("insightface", reason="insightface is not installed here")
	pack = lay_out("scrfd_mobilefacenet", tmp_path)
	pictures = [next(iter(sorted(person.iterdir()))) for person in sorted(faces.iterdir())]
	refuse_difference(pack, [load_cv2().imread(str(path)) for path in pictures])


def test_real_yunet_as_onnx_and_as_opencv(faces: Path, tmp_path: Path) -> None:
	pack = lay_out("yunet_mobilefacenet", tmp_path)
	cv2 = load_cv2()
	image = cv2.resize(cv2.imread(str(next((faces / "Tony_Blair").iterdir()))), (640, 640))
	ours = open_engine(EngineKind.ONNX, pack, 1).detect(image)[0]
	theirs = cv2.FaceDetectorYN.create(
		str(pack / "face_detection_yunet_2023mar.onnx"), "", (640, 640), 0.6, 0.3
	)
	row = max(theirs.detect(image)[1], key=lambda each: each[14])
	np.testing.assert_allclose(ours.landmarks.reshape(-1), row[4:14], atol=0.1)
	assert ours.score == pytest.approx(float(row[14]), abs=1e-3)


def refuse_difference(pack: Path, images: list[Image]) -> None:
	ours, theirs = (open_engine(kind, pack, 1) for kind in (EngineKind.ONNX, EngineKind.INSIGHTFACE))
	assert ours.model == theirs.model
	for image in images:
		assert len(ours.detect(image)) == len(theirs.detect(image)) > 0
		assert float(embed_first(ours, image) @ embed_first(theirs, image)) >= SAME


def test_an_engine_that_gives_opencv_threads_is_not_overruled_before_every_face(tiny_engine: Engine) -> None:
	cv2 = load_cv2()
	before = cv2.getNumThreads()
	try:
		cv2.setNumThreads(2)
		image = draw(blank(), 11, 150, 80)
		align(image, tiny_engine.detect(image)[0].landmarks)
		assert cv2.getNumThreads() == 2
	finally:
		cv2.setNumThreads(before)
