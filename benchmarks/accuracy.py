"""How well a pack recognises people, on pictures that somebody else has.

FOLDER holds a folder of pictures for each person. With LFW and its `pairs.txt`, the accuracy is that of the
published protocol: ten folds, the threshold of each from the nine others. Without a pairs file, all pairs are
taken, and as many pairs of two people as there are pairs of one (by a fixed seed), in ten folds.

In each picture the face nearest to the middle is taken. A picture without a face stays in the count of
pictures, not in the pairs of the figures over all pairs; in the protocol its pairs count as wrong.

Also printed: the cosine at given false-match rates, which is what stands in the `thresholds` of a pack. A
rate below one in the number of pairs cannot be measured and is left out.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from _figures import verdict
from _packs import add_models_option, lay_out, skip

from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.face import Face, Image
from attendance_bridge.recognition.runtime import load_cv2

GOALS = {"scrfd_mobilefacenet": 0.994, "yunet_mobilefacenet": 0.990}
"""Accuracy by LFW's protocol."""
FOLDS = 10
RATES = (1e-3, 1e-4, 1e-5)
ENDINGS = {".jpg", ".jpeg", ".png"}

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gallery:
	"""The embeddings of all pictures in which a face was found."""

	pictures: int
	embeddings: npt.NDArray[np.float32]
	people: npt.NDArray[np.int64]
	places: dict[tuple[str, int], int]
	"""(person, number at the end of the file's name) → row of `embeddings`."""


def nearest_to_middle(faces: Sequence[Face], image: Image) -> Face:
	middle = np.array([image.shape[1], image.shape[0]]) / 2
	return min(faces, key=lambda face: float(np.hypot(*((face.box[:2] + face.box[2:]) / 2 - middle))))


def embed_all(engine: Engine, folder: Path) -> Gallery:
	cv2 = load_cv2()
	embeddings, people, places, pictures = [], [], {}, 0
	for number, person in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
		for path in sorted(each for each in person.iterdir() if each.suffix.lower() in ENDINGS):
			pictures += 1
			image = cv2.imread(str(path))
			found = engine.detect(image) if image is not None else []
			if not found:
				continue
			tail = path.stem.rpartition("_")[2]
			if tail.isdigit():
				places[person.name, int(tail)] = len(embeddings)
			embeddings.append(engine.embed(align(image, nearest_to_middle(found, image).landmarks)))
			people.append(number)
	if len(set(people)) < 2:
		raise SystemExit(f"{folder} holds no pictures with faces of two people")
	return Gallery(pictures, np.stack(embeddings), np.array(people), places)


def read_pairs(path: Path, gallery: Gallery) -> tuple[Values, npt.NDArray[np.bool_]]:
	"""LFW's pairs in their order: cosines (-1 where a face was not found), and whether it is one person."""
	cosines, same = [], []
	for line in path.read_text().splitlines()[1:]:
		parts = line.split()
		if len(parts) not in (3, 4):
			continue
		first = (parts[0], int(parts[1]))
		second = (parts[0], int(parts[2])) if len(parts) == 3 else (parts[2], int(parts[3]))
		rows = gallery.places.get(first), gallery.places.get(second)
		is_same = len(parts) == 3
		found = None not in rows
		cosines.append(
			float(gallery.embeddings[rows[0]] @ gallery.embeddings[rows[1]])
			if found
			else (-2.0 if is_same else 2.0)
		)
		same.append(is_same)
	return np.array(cosines), np.array(same)


def all_pairs(gallery: Gallery) -> tuple[Values, Values]:
	"""Cosines of all pairs of one person, and of all pairs of two."""
	cosines = (gallery.embeddings @ gallery.embeddings.T).astype(np.float64)
	upper = np.triu_indices(len(cosines), 1)
	same = gallery.people[upper[0]] == gallery.people[upper[1]]
	values = cosines[upper]
	return values[same], values[~same]


def fold_accuracy(cosines: Values, same: npt.NDArray[np.bool_]) -> float:
	"""The mean over the folds of the accuracy with the threshold that is best for the others."""
	accuracies = []
	for fold in np.array_split(np.arange(len(cosines)), FOLDS):
		others = np.setdiff1d(np.arange(len(cosines)), fold)
		threshold = best_threshold(cosines[others], same[others])
		accuracies.append(float(((cosines[fold] >= threshold) == same[fold]).mean()))
	return float(np.mean(accuracies))


def best_threshold(cosines: Values, same: npt.NDArray[np.bool_]) -> float:
	order = np.argsort(cosines)
	# With the threshold at the i-th cosine, everything below is taken for two people.
	right = np.concatenate(([0], np.cumsum(~same[order]))) + (
		same.sum() - np.concatenate(([0], np.cumsum(same[order])))
	)
	best = int(right.argmax())
	return float(cosines[order[best]]) if best < len(order) else float(cosines.max()) + 1


def balanced(genuine: Values, impostor: Values) -> tuple[Values, npt.NDArray[np.bool_]]:
	chance = np.random.default_rng(1)
	count = min(len(genuine), len(impostor))
	cosines = np.concatenate(
		(chance.choice(genuine, count, replace=False), chance.choice(impostor, count, replace=False))
	)
	same = np.repeat([True, False], count)
	order = chance.permutation(2 * count)
	return cosines[order], same[order]


def threshold_at(impostor: Values, rate: float) -> float | None:
	"""The cosine that so large a share of pairs of two people reaches; None when there are too few pairs."""
	allowed = int(rate * len(impostor))
	return float(np.sort(impostor)[-allowed - 1]) if allowed >= 1 else None


def rank_one(gallery: Gallery) -> float:
	"""How often the nearest other picture is of the same person, among people with two pictures or more."""
	cosines = gallery.embeddings @ gallery.embeddings.T
	np.fill_diagonal(cosines, -2)
	counts = np.bincount(gallery.people)
	asked = counts[gallery.people] > 1
	return float((gallery.people[cosines.argmax(axis=1)] == gallery.people)[asked].mean())


def report(name: str, engine: Engine, options: argparse.Namespace) -> float:
	"""Print what a pack reaches; returns its accuracy."""
	gallery = embed_all(engine, options.folder)
	genuine, impostor = all_pairs(gallery)
	if options.pairs:
		cosines, same = read_pairs(options.pairs, gallery)
		words = f"protocol of {options.pairs.name}"
	else:
		cosines, same = balanced(genuine, impostor)
		words = "balanced pairs of this folder, not LFW's protocol"
	accuracy = fold_accuracy(cosines, same)
	found = len(gallery.people) / gallery.pictures
	print(f"{name}: {gallery.pictures} pictures, {len(set(gallery.people))} people")
	print(f"  a face was found in      {found:.4f}")
	print(f"  verification accuracy    {accuracy:.4f}  ({len(cosines):,} pairs, {words})")
	print(f"  rank-1 identification    {rank_one(gallery):.4f}")
	print(f"  all pairs: {len(genuine):,} of one person, {len(impostor):,} of two")
	for rate in RATES:
		threshold = threshold_at(impostor, rate)
		if threshold is None:
			print(f"  TAR at FAR {rate:g}: not measurable with so few pairs")
		else:
			share = float((genuine > threshold).mean())
			print(f"  TAR at FAR {rate:g}         {share:.4f}  (cosine above {threshold:.3f})")
	return accuracy


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("folder", type=Path, nargs="?", help="a folder of pictures for each person")
	parser.add_argument("--pairs", type=Path, help="LFW's pairs.txt")
	parser.add_argument("--pack", action="append", help="a known pack (default: both with a MobileFaceNet)")
	parser.add_argument("--threads", type=int, default=2)
	add_models_option(parser)
	options = parser.parse_args()
	if options.folder is None:
		options.folder = options.models.parent / "faces"
	if not options.folder.is_dir():
		skip(f"there are no pictures at {options.folder}: name a folder")
	reached = {}
	with tempfile.TemporaryDirectory() as folder:
		for name in options.pack or reversed(GOALS):
			pack = lay_out(name, options.models, Path(folder))
			reached[name] = report(name, open_engine(EngineKind.ONNX, pack, options.threads), options)
	for name in (each for each in reached if each in GOALS):
		# The last line is that of SCRFD.
		word = "ratio" if name == next(iter(GOALS)) else f"{name}_ratio"
		print(verdict(reached[name], f">={GOALS[name]}", word, digits=4))


if __name__ == "__main__":
	main()
