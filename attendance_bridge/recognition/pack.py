"""A model pack: a folder with networks and a manifest, `pack.toml`, that says what they are.

The manifest names every file with its size and sha256, and nothing is run that is not that file. The package
ships the manifests of known packs (`packs/*.toml`) and none of their networks.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from pathlib import Path
from typing import Any

from attendance_bridge.core.config import option, parse
from attendance_bridge.core.errors import Code, ConfigError, RecognitionError
from attendance_bridge.core.template import MAX_DIMENSION

if sys.version_info >= (3, 11):
	import tomllib
else:
	import tomli as tomllib

MANIFEST = "pack.toml"
MAX_MANIFEST_BYTES = 64_000
MAX_MODEL_BYTES = 600_000_000
MAX_INPUT_SIDE = 2_048
MAX_THRESHOLDS = 20
DIGITS_OF_MODEL = 12
"""How many digits of the embedder's sha256 stand in the name of a model."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.onnx")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https://[^\s]{1,500}|http://(127\.0\.0\.1|localhost)(:\d+)?/[^\s]{0,500}")


class Colour(str, Enum):
	"""The order of the channels that a network expects. Frames are BGR."""

	RGB = "rgb"
	BGR = "bgr"


class DetectorKind(str, Enum):
	SCRFD = "scrfd"
	YUNET = "yunet"


def _matching(pattern: re.Pattern[str], expected: str) -> Any:
	def check(value: str) -> str:
		if value and not pattern.fullmatch(value):
			raise ValueError(expected)
		return value

	return check


def _required(pattern: re.Pattern[str], expected: str) -> Any:
	def check(value: str) -> str:
		if not pattern.fullmatch(value):
			raise ValueError(expected)
		return value

	return check


def _size(value: tuple[int, ...]) -> tuple[int, ...]:
	if len(value) != 2 or not all(16 <= side <= MAX_INPUT_SIDE for side in value):
		raise ValueError(f"two whole numbers, width and height, from 16 to {MAX_INPUT_SIDE}")
	return value


def _three(value: tuple[float, ...]) -> tuple[float, ...]:
	if len(value) != 3 or not all(-1e6 < number < 1e6 for number in value):
		raise ValueError("three numbers, in the order of the network's channels")
	return value


def _divisors(value: tuple[float, ...]) -> tuple[float, ...]:
	if not all(number > 0 for number in _three(value)):
		raise ValueError("three numbers above 0")
	return value


def is_allowed_url(url: str) -> bool:
	"""Whether models may come from this address: encrypted, or from this machine."""
	return _URL.fullmatch(url) is not None


_https = _matching(_URL, "an https address")
_sha256 = _required(_SHA256, "64 hexadecimal digits in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
	"""Which file a network is, and where it comes from."""

	name: str = option(
		help="name of the file in the folder of the pack",
		check=_required(_FILE, "a file name ending in .onnx"),
	)
	sha256: str = option(help="sha256 of the file", check=_sha256)
	bytes: int = option(help="its size", minimum=1, maximum=MAX_MODEL_BYTES)
	url: str = option("", help="where it is downloaded from; empty if nowhere", check=_https)
	member: str = option("", help="its name in the zip archive at `url`, where that is one", max_length=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
	"""What a network expects of pixels: (pixel - mean) / std by channel, in the order of `colour`."""

	colour: Colour = option(help="rgb or bgr")
	mean: tuple[float, ...] = option((0.0, 0.0, 0.0), help="subtracted from pixels of 0 to 255", check=_three)
	std: tuple[float, ...] = option((1.0, 1.0, 1.0), help="divided by", check=_divisors)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
	kind: DetectorKind = option(help="scrfd or yunet")
	file: ModelFile = option(help="the network")
	input_size: tuple[int, ...] = option(
		(640, 640), help="width and height into which frames are fitted", check=_size
	)
	normalisation: Normalisation = option(help="what it expects of pixels")
	min_score: float = option(0.5, help="faces below are left out", minimum=0.05, maximum=0.99)
	overlap: float = option(
		0.4, help="of two boxes that overlap by more, the weaker goes", minimum=0, maximum=1
	)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
	"""At which cosine how many comparisons of two different people come out as one person."""

	fmr: float = option(help="false-match rate", minimum=1e-9, maximum=0.5)
	cosine: float = option(help="comparisons of at least this cosine are a match", minimum=-1, maximum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec:
	file: ModelFile = option(help="the network; its input is an aligned face of 112×112 pixels")
	normalisation: Normalisation = option(help="what it expects of pixels")
	dimension: int = option(help="length of an embedding", minimum=8, maximum=MAX_DIMENSION)
	thresholds: tuple[Threshold, ...] = option(
		(), help="cosine thresholds by false-match rate, as measured with this network"
	)
	measured_on: str = option("", help="on what the thresholds were measured")

	def __post_init__(self) -> None:
		if len(self.thresholds) > MAX_THRESHOLDS:
			raise ValueError(f"at most {MAX_THRESHOLDS} thresholds")
		ordered = sorted(self.thresholds, key=lambda each: each.fmr)
		cosines = [each.cosine for each in ordered]
		if cosines != sorted(cosines, reverse=True) or len({each.fmr for each in ordered}) < len(ordered):
			raise ValueError("thresholds that rise as the false-match rate falls")

	def threshold(self, fmr: float) -> float:
		"""The cosine of the largest stated false-match rate that is not above `fmr`: never a laxer one.

		:raises RecognitionError: MODEL_UNFIT, when no threshold so strict is stated.
		"""
		stated = [each for each in self.thresholds if each.fmr <= fmr * (1 + 1e-9)]
		if not stated:
			why = f"its pack states no threshold for a false-match rate of {fmr:g}: set `threshold`"
			raise RecognitionError(Code.MODEL_UNFIT, path=self.file.name, why=why)
		return max(stated, key=lambda each: each.fmr).cosine


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessSpec:
	"""A network that looks at the surroundings of a face and says whether it is a picture of one."""

	file: ModelFile = option(help="the network")
	input_size: tuple[int, ...] = option((80, 80), help="width and height of its input", check=_size)
	normalisation: Normalisation = option(help="what it expects of pixels")
	scale: float = option(2.7, help="how many times the box of the face it is shown", minimum=1, maximum=6)
	classes: int = option(3, help="how many classes it tells apart", minimum=2, maximum=10)
	live_class: int = option(1, help="which of them is a living face, from 0", minimum=0, maximum=9)

	def __post_init__(self) -> None:
		if self.live_class >= self.classes:
			raise ValueError("a live_class below classes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
	"""What stands in a `pack.toml`."""

	name: str = option(help="name of the pack", check=_required(_NAME, "small letters, digits and _"))
	version: str = option(help="of this pack", max_length=20)
	label: str = option(help="what it is, in a line", max_length=120)
	licence: str = option(help="licence of the weights, in a word or an SPDX expression", max_length=120)
	notice: str = option(help="what a user must know about the licence", max_length=4_000)
	commercial_use: bool = option(help="whether the licence allows commercial use")
	detector: DetectorSpec | None = option(None, help="finds faces")
	embedder: EmbedderSpec | None = option(None, help="turns an aligned face into an embedding")
	liveness: LivenessSpec | None = option(None, help="tells a living face from a picture of one")

	def __post_init__(self) -> None:
		if not self.files:
			raise ValueError("at least one of detector, embedder, liveness")
		names = [file.name for file in self.files]
		if len(set(names)) < len(names):
			raise ValueError("a file name for every network")

	@property
	def files(self) -> tuple[ModelFile, ...]:
		specs = (self.detector, self.embedder, self.liveness)
		return tuple(spec.file for spec in specs if spec is not None)

	@property
	def model(self) -> str:
		"""The name of the embedder that templates carry: templates of another one are never compared.

		:raises RecognitionError: MODEL_UNFIT, for a pack without an embedder.
		"""
		if self.embedder is None:
			raise RecognitionError(Code.MODEL_UNFIT, path=self.name, why="the pack has no embedder")
		return f"{self.name}-{self.embedder.file.sha256[:DIGITS_OF_MODEL]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
	"""A pack whose files are there and are what the manifest says."""

	folder: Path
	manifest: Manifest

	def path(self, file: ModelFile) -> Path:
		return self.folder / file.name


def parse_manifest(text: str) -> Manifest:
	"""Read a manifest.

	:raises ConfigError: BAD_VALUE for what is no TOML, UNKNOWN_KEY and the like as `core.config` has them.
	"""
	try:
		table = tomllib.loads(text)
	except (tomllib.TOMLDecodeError, RecursionError) as error:
		raise ConfigError(Code.BAD_VALUE, path=MANIFEST, expected=f"TOML ({error})") from None
	return parse(Manifest, table, secrets=_no_secrets)


def _no_secrets(kind: str, reference: str) -> str:
	"""A manifest has no field for one."""
	raise ConfigError(Code.SECRET_MISSING, path=MANIFEST, kind=kind, reference=reference)


def known_manifests() -> Mapping[str, Manifest]:
	"""The packs that this package knows, by name. Their networks must be downloaded."""
	return {name: parse_manifest(text) for name, text in sorted(known_texts().items())}


def known_texts() -> Mapping[str, str]:
	"""The manifests of `known_manifests` as they are written."""
	folder = files("attendance_bridge.recognition") / "packs"
	return {
		entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
		for entry in folder.iterdir()
		if entry.name.endswith(".toml")
	}


def open_pack(folder: Path) -> Pack:
	"""Read the manifest in `folder` and check every file that it names.

	:raises ConfigError: as `parse_manifest`.
	:raises RecognitionError: MODEL_MISSING or MODEL_DAMAGED, with `path`.
	"""
	pack = Pack(folder=folder, manifest=parse_manifest(_read_manifest(folder / MANIFEST)))
	for file in pack.manifest.files:
		check_file(pack.path(file), file)
	return pack


def _read_manifest(path: Path) -> str:
	try:
		with path.open("rb") as file:
			content = file.read(MAX_MANIFEST_BYTES + 1)
	except OSError:
		raise RecognitionError(Code.MODEL_MISSING, path=str(path)) from None
	if len(content) > MAX_MANIFEST_BYTES:
		raise ConfigError(Code.BAD_VALUE, path=str(path), expected=f"at most {MAX_MANIFEST_BYTES} bytes")
	try:
		return content.decode("utf-8")
	except UnicodeDecodeError:
		raise ConfigError(Code.BAD_VALUE, path=str(path), expected="TOML in UTF-8") from None


def check_file(path: Path, file: ModelFile) -> None:
	"""Whether `path` is the file that a manifest means.

	:raises RecognitionError: MODEL_MISSING or MODEL_DAMAGED, with `path`.
	"""
	try:
		# The size first: nobody waits for the checksum of what cannot be it.
		right = path.is_file() and path.stat().st_size == file.bytes and sha256_of(path) == file.sha256
		missing = not path.is_file()
	except OSError:
		raise RecognitionError(Code.MODEL_MISSING, path=str(path)) from None
	if missing:
		raise RecognitionError(Code.MODEL_MISSING, path=str(path))
	if not right:
		raise RecognitionError(Code.MODEL_DAMAGED, path=str(path))


def sha256_of(path: Path) -> str:
	digest = hashlib.sha256()
	with path.open("rb") as file:
		while block := file.read(1 << 20):
			digest.update(block)
	return digest.hexdigest()
