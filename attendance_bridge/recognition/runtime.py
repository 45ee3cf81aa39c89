"""ONNX Runtime and OpenCV, loaded when they are needed, and how many threads each may have.

On a small machine the two fight for the same cores. ONNX Runtime, which does nearly all of the work, gets
them; OpenCV works in the thread that calls it. See docs/adr/0010-threads.md.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.pack import Colour, Normalisation

_LOG_ERRORS_ONLY = 3
"""ONNX Runtime warns at every frame of a size that a graph does not declare, and computes it rightly."""


@functools.cache
def load_cv2() -> Any:
	"""OpenCV, on one thread unless an engine gives it more: said once, not before every face.

	:raises RecognitionError: NOT_INSTALLED.
	"""
	cv2: Any = _load("cv2", "opencv-python-headless", "recognition")
	cv2.setNumThreads(1)
	return cv2


def load_insightface() -> Any:
	"""The collection of model classes of insightface.

	:raises RecognitionError: NOT_INSTALLED.
	"""
	return _load("insightface.model_zoo", "insightface", "insightface")


def _load(module: str, package: str, extra: str) -> ModuleType:
	# ONNX Runtime (seen with 1.32) tells its maker about every process, and keeps an id of the machine in the
	# home folder; only before it is loaded can all of that be declined (its Privacy.md).
	os.environ["ORT_DISABLE_TELEMETRY"] = "1"
	try:
		return importlib.import_module(module)
	except ModuleNotFoundError:
		raise RecognitionError(Code.NOT_INSTALLED, package=package, extra=extra) from None


def session_options(threads: int) -> Any:
	"""How ONNX Runtime runs a network: `threads` inside an operator, operators one after the other."""
	runtime: Any = _load("onnxruntime", "onnxruntime", "recognition")
	options = runtime.SessionOptions()
	options.intra_op_num_threads = threads
	options.inter_op_num_threads = 1
	options.log_severity_level = _LOG_ERRORS_ONLY
	_share_memory(runtime)
	options.add_session_config_entry("session.use_env_allocators", "1")
	# It would plan memory for every size of picture anew, and keep the plans.
	options.enable_mem_pattern = False
	# Threads that spin between two frames burn a core for nothing.
	options.add_session_config_entry("session.intra_op.allow_spinning", "0")
	return options


@functools.cache
def _share_memory(runtime: Any) -> None:
	"""One pool of memory for all networks of the process; it grows by what is needed and does not double."""
	place = runtime.OrtMemoryInfo(
		"Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT
	)
	runtime.create_and_register_allocator(place, runtime.OrtArenaCfg({"arena_extend_strategy": 1}))


def _give_back_memory() -> None:
	"""Hand the memory that loading took, and freed, back to the system; where the C library can."""
	trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
	if trim is not None:
		trim(0)


class Network:
	"""One network on ONNX Runtime.

	:raises RecognitionError: NOT_INSTALLED, or MODEL_UNFIT when ONNX Runtime cannot load it.
	"""

	def __init__(self, path: Path, threads: int) -> None:
		options = session_options(threads)
		runtime: Any = _load("onnxruntime", "onnxruntime", "recognition")
		try:
			self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
		# Its errors have no base of their own.
		except Exception as error:
			raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why=f"{error}"[:300]) from None
		given = self._session.get_inputs()
		if len(given) != 1 or len(given[0].shape) != 4:
			raise RecognitionError(Code.MODEL_UNFIT, path=str(path), why="it takes no single picture")
		self._input = given[0].name
		self.input_shape: tuple[object, ...] = tuple(given[0].shape)
		self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())
		self._wanted = list(self.outputs)
		_give_back_memory()

	def want(self, outputs: list[str]) -> None:
		"""Ask for these outputs only, in this order."""
		self._wanted = outputs

	def run(self, blob: Floats) -> list[Floats]:
		"""The outputs for `blob`, 1 × 3 × height × width."""
		results: list[Floats] = self._session.run(self._wanted, {self._input: blob})
		return results


class Blob:
	"""Turns pictures into what a network takes, as its pack says.

	`cv2.dnn.blobFromImage` does the same in several times the time, and knows one divisor for all channels.
	"""

	def __init__(self, normalisation: Normalisation) -> None:
		self._cv2 = load_cv2()
		# Which plane of a BGR picture is the network's first, second and third.
		self._order = (2, 1, 0) if normalisation.colour is Colour.RGB else (0, 1, 2)
		self._mean = np.array(normalisation.mean, np.float32)
		self._factor = 1 / np.array(normalisation.std, np.float32)
		self._planes: list[Image] = []
		self._blob: Floats = np.empty((1, 3, 0, 0), np.float32)

	def make(self, image: Image) -> Floats:
		"""1 × 3 × height × width, for a picture of height × width × 3. Valid until the next call."""
		if self._blob.shape[2:] != image.shape[:2]:
			self._planes = [np.empty(image.shape[:2], np.uint8) for _ in range(3)]
			self._blob = np.empty((1, 3, *image.shape[:2]), np.float32)
		self._cv2.split(image, self._planes)
		for channel, plane in enumerate(self._order):
			target = self._blob[0, channel]
			target[...] = self._planes[plane]
			if self._mean[channel] != 0:
				target -= self._mean[channel]
			if self._factor[channel] != 1:
				target *= self._factor[channel]
		return self._blob
