"""Passive liveness: a network that looks at a face and its surroundings, over several frames.

It is a weak signal. Published reports show prints and screens that pass and living people who do not, and
scores that turn over when the face moves by a few centimetres; so frames are combined. It does not stop a
good print, a mask or a screen held close. What stops more is the challenge (`recognition.challenge`) or a
second factor.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.pack import LivenessSpec, Pack
from attendance_bridge.recognition.runtime import Blob, Network, load_cv2

AFTER_FAILING = 4
"""How many times as many frames a face needs that was taken for a picture before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessSettings:
	least: float = option(0.6, help="least mean probability of a living face", minimum=0, maximum=1)
	frames: int = option(3, help="over how many frames it is taken", minimum=1, maximum=50)


class PassiveLiveness:
	"""The liveness network of a pack.

	:raises RecognitionError: NOT_INSTALLED, or MODEL_UNFIT for a pack without one, or with another than its
		manifest says.
	"""

	def __init__(self, pack: Pack, threads: int) -> None:
		spec = pack.manifest.liveness
		if spec is None:
			why = "the pack has no liveness network"
			raise RecognitionError(Code.MODEL_UNFIT, path=str(pack.folder), why=why)
		path = pack.path(spec.file)
		self._spec = spec
		self._cv2 = load_cv2()
		self._blob = Blob(spec.normalisation)
		self._network = Network(path, threads)
		width, height = spec.input_size
		found = self._network.run(self._blob.make(np.zeros((height, width, 3), np.uint8)))[0].size
		if found != spec.classes:
			why = f"it tells {found} classes apart, its manifest says {spec.classes}"
			raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=why)

	def live_probability(self, image: Image, face: Face) -> float:
		"""How likely the face is alive, by this one picture."""
		left, top, right, bottom = surroundings(face, self._spec, image.shape[1], image.shape[0])
		crop = self._cv2.resize(image[top:bottom, left:right], tuple(self._spec.input_size))
		logits = self._network.run(self._blob.make(crop))[0]
		return float(softmax(logits.reshape(-1))[self._spec.live_class])


def surroundings(face: Face, spec: LivenessSpec, width: int, height: int) -> tuple[int, int, int, int]:
	"""What of a frame the network is shown: left, top, right, bottom, at least one pixel.

	The box of the face, enlarged around its middle; by less where it would not fit into the frame, and moved
	into the frame where it reaches beyond an edge, as the network was trained.
	"""
	box_width, box_height = max(face.width, 1.0), max(face.height, 1.0)
	scale = min(spec.scale, (width - 1) / box_width, (height - 1) / box_height)
	new_width, new_height = box_width * scale, box_height * scale
	middle_x, middle_y = float(face.box[0] + face.box[2]) / 2, float(face.box[1] + face.box[3]) / 2
	left = min(max(middle_x - new_width / 2, 0.0), max(width - 1 - new_width, 0.0))
	top = min(max(middle_y - new_height / 2, 0.0), max(height - 1 - new_height, 0.0))
	right, bottom = min(int(left + new_width) + 1, width), min(int(top + new_height) + 1, height)
	return int(left), int(top), right, bottom


def softmax(logits: Floats) -> Floats:
	powers = np.exp(logits - logits.max())
	shares: Floats = powers / powers.sum()
	return shares


@dataclass(slots=True)
class LivenessVote:
	"""Combines the probabilities of the last frames of one face.

	Once it has failed, `AFTER_FAILING` times as many frames must hold: a print that is tilted until three
	lucky frames come in a row shall not pass by patience.
	"""

	settings: LivenessSettings
	_seen: deque[float] = field(init=False)
	_failed: bool = False

	def __post_init__(self) -> None:
		self._seen = deque(maxlen=AFTER_FAILING * self.settings.frames)

	def add(self, probability: float) -> None:
		self._seen.append(probability)
		if self.alive is False:
			self._failed = True

	def start_anew(self) -> None:
		"""Another face may have come; that one failed on this track is not forgotten."""
		self._seen.clear()

	@property
	def alive(self) -> bool | None:
		"""None until there are enough frames."""
		if len(self._seen) < self.settings.frames:
			return None
		wanted = AFTER_FAILING * self.settings.frames if self._failed else self.settings.frames
		last = list(self._seen)[-wanted:]
		holds = sum(last) / len(last) >= self.settings.least
		return holds and len(last) == wanted if self._failed else holds
