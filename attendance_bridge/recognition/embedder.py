"""Any 112×112 embedder on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.aligner import SIDE
from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.pack import EmbedderSpec
from attendance_bridge.recognition.runtime import Blob, Network


class OnnxEmbedder:
	"""Turns aligned faces into embeddings.

	:raises RecognitionError: NOT_INSTALLED or MODEL_UNFIT.
	"""

	def __init__(self, path: Path, spec: EmbedderSpec, threads: int) -> None:
		self._network = Network(path, threads)
		self._blob = Blob(spec.normalisation)
		refuse_other_length(path, spec, self.embed(np.zeros((SIDE, SIDE, 3), np.uint8)))

	def embed(self, aligned: Image) -> Floats:
		return unit(self._network.run(self._blob.make(aligned))[0])


def unit(row: Floats) -> Floats:
	"""The row at length 1, or as it is when it has none: such a row is like nobody."""
	flat: Floats = row.reshape(-1).astype(np.float32, copy=False)
	length = float(np.linalg.norm(flat))
	return flat / length if np.isfinite(length) and length > 0 else np.zeros_like(flat)


def refuse_other_length(path: Path, spec: EmbedderSpec, embedding: Floats) -> None:
	"""Whether an embedder gives what its manifest says.

	:raises RecognitionError: MODEL_UNFIT.
	"""
	if embedding.size != spec.dimension:
		why = f"its embeddings have {embedding.size} numbers, its manifest says {spec.dimension}"
		raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=why)
