"""Manifests and packs: what is taken, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attendance_bridge.core.errors import BridgeError, Code
from attendance_bridge.recognition.pack import (
	MANIFEST,
	MAX_MANIFEST_BYTES,
	known_manifests,
	known_texts,
	open_pack,
	parse_manifest,
)

TEXT = known_texts()["scrfd_mobilefacenet"]


def test_the_known_packs() -> None:
	manifests = known_manifests()
	assert {"yunet_sface", "scrfd_mobilefacenet", "buffalo_s", "buffalo_l", "minifasnet"} <= manifests.keys()
	for name, manifest in manifests.items():
		assert manifest.name == name
		assert manifest.notice.strip()
		# What insightface published is for research only, whatever it is put together with.
		from_insightface = any("insightface" in file.url for file in manifest.files)
		assert manifest.commercial_use is not from_insightface


@pytest.mark.parametrize(
	("old", "new", "code", "path"),
	[
		('name = "det_500m.onnx"', 'name = "../det_500m.onnx"', Code.BAD_VALUE, "detector.file.name"),
		('name = "det_500m.onnx"', 'name = "/etc/passwd.onnx"', Code.BAD_VALUE, "detector.file.name"),
		('name = "det_500m.onnx"', 'name = ".hidden.onnx"', Code.BAD_VALUE, "detector.file.name"),
		('name = "det_500m.onnx"', 'name = "det_500m.so"', Code.BAD_VALUE, "detector.file.name"),
		('name = "det_500m.onnx"', 'name = "mobilefacenet_128.onnx"', Code.BAD_VALUE, "(whole file)"),
		("bytes = 2524817", "bytes = 9000000000", Code.BAD_VALUE, "detector.file.bytes"),
		("bytes = 2524817", "bytes = true", Code.BAD_VALUE, "detector.file.bytes"),
		('sha256 = "5e4447', 'sha256 = "5E4447', Code.BAD_VALUE, "detector.file.sha256"),
		('url = "https://', 'url = "http://', Code.BAD_VALUE, "detector.file.url"),
		('url = "https://', 'url = "file:///', Code.BAD_VALUE, "detector.file.url"),
		('kind = "scrfd"', 'kind = "mtcnn"', Code.BAD_VALUE, "detector.kind"),
		('kind = "scrfd"', 'kind = "scrfd"\nsudo = 1', Code.UNKNOWN_KEY, "detector.sudo"),
		('kind = "scrfd"\n', "", Code.MISSING_KEY, "detector.kind"),
		('kind = "scrfd"', 'kind = "scrfd"\ninput_size = [640]', Code.BAD_VALUE, "detector.input_size"),
		(
			'kind = "scrfd"',
			'kind = "scrfd"\ninput_size = [640, 99999]',
			Code.BAD_VALUE,
			"detector.input_size",
		),
		("std = [128.0,", "std = [0.0,", Code.BAD_VALUE, "detector.normalisation.std"),
		("mean = [127.5,", "mean = [nan,", Code.BAD_VALUE, "detector.normalisation.mean"),
		("dimension = 128", "dimension = 1000000", Code.BAD_VALUE, "embedder.dimension"),
		("cosine = 0.463", "cosine = 0.1", Code.BAD_VALUE, "embedder"),
		("fmr = 1e-5", "fmr = 0.0", Code.BAD_VALUE, "embedder.thresholds[2].fmr"),
		('name = "scrfd_mobilefacenet"', 'name = "Ünsinn/.."', Code.BAD_VALUE, "name"),
		('version = "1"', "version = ", Code.BAD_VALUE, MANIFEST),
	],
)
def test_a_manifest_that_is_not_right(old: str, new: str, code: Code, path: str) -> None:
	assert old in TEXT
	with pytest.raises(BridgeError) as caught:
		parse_manifest(TEXT.replace(old, new, 1))
	assert (caught.value.code, caught.value.details["path"]) == (code, path)


@pytest.mark.parametrize(
	("fmr", "cosine"), [(1e-3, 0.333), (5e-4, 0.403), (1e-4, 0.403), (1e-5, 0.463), (0.4, 0.333)]
)
def test_a_threshold_is_never_laxer_than_asked_for(fmr: float, cosine: float) -> None:
	embedder = parse_manifest(TEXT).embedder
	assert embedder is not None
	assert embedder.threshold(fmr) == cosine


def test_a_threshold_that_nobody_measured() -> None:
	for text in (TEXT, known_texts()["yunet_sface"]):
		embedder = parse_manifest(text).embedder
		assert embedder is not None
		with pytest.raises(BridgeError, match="states no threshold"):
			embedder.threshold(1e-6)


def cut(folder: Path) -> None:
	file = folder / "tiny_scrfd.onnx"
	file.write_bytes(file.read_bytes()[:-1])


def turn_a_bit(folder: Path) -> None:
	file = folder / "tiny_embedder.onnx"
	content = bytearray(file.read_bytes())
	content[100] ^= 1
	file.write_bytes(content)


@pytest.mark.parametrize(
	("spoil", "code"),
	[
		(cut, Code.MODEL_DAMAGED),
		(turn_a_bit, Code.MODEL_DAMAGED),
		(lambda folder: (folder / "tiny_scrfd.onnx").unlink(), Code.MODEL_MISSING),
		(lambda folder: (folder / MANIFEST).unlink(), Code.MODEL_MISSING),
		(lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"), Code.BAD_VALUE),
		(lambda folder: (folder / MANIFEST).write_bytes(b"#" * (MAX_MANIFEST_BYTES + 1)), Code.BAD_VALUE),
		(lambda folder: (folder / MANIFEST).write_bytes(b"a = " + b"[" * 50_000), Code.BAD_VALUE),
	],
)
def test_a_pack_that_is_not_right(tmp_path: Path, spoil: Callable[[Path], object], code: Code) -> None:
	from attendance_bridge.recognition import tiny

	tiny.make_pack(tmp_path)
	assert open_pack(tmp_path).manifest.name == "tiny"
	spoil(tmp_path)
	with pytest.raises(BridgeError) as caught:
		open_pack(tmp_path)
	assert caught.value.code is code


def test_every_known_pack_says_where_its_files_come_from_and_what_its_thresholds_rest_on() -> None:
	"""What is not there has to be brought or set by somebody: which packs that are is a decision."""
	found = known_manifests()
	brought = {name for name, pack in found.items() if any(not file.url for file in pack.files)}
	assert brought == {"minifasnet", "scrfd_mobilefacenet", "yunet_mobilefacenet"}
	unmeasured = {name for name, pack in found.items() if pack.embedder and not pack.embedder.thresholds}
	assert unmeasured == {"buffalo_l", "buffalo_s", "yunet_sface"}
	for name, pack in found.items():
		if pack.embedder is None:
			continue
		assert bool(pack.embedder.thresholds) is bool(pack.embedder.measured_on)
		if name in unmeasured:
			with pytest.raises(BridgeError) as caught:
				pack.embedder.threshold(0.01)
			assert "set `threshold`" in str(caught.value.details["why"])
