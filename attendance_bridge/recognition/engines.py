"""Which way a pack is run, by its name in the configuration."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.pack import open_pack


class EngineKind(str, Enum):
	"""The ways to run a pack. All give the same embeddings, so templates are theirs in common."""

	ONNX = "onnx"
	"""ONNX Runtime directly; the leanest."""
	OPENCV = "opencv"
	"""OpenCV's own classes, for YuNet and SFace."""
	INSIGHTFACE = "insightface"
	"""The insightface package, for its packs."""


def open_engine(kind: EngineKind, folder: Path, threads: int) -> Engine:
	"""Open the pack in `folder`, checked against its manifest.

	:param threads: that one network may use.
	:raises ConfigError: a bad manifest.
	:raises RecognitionError: MODEL_MISSING, MODEL_DAMAGED, MODEL_UNFIT or NOT_INSTALLED.
	"""
	pack = open_pack(folder)
	# Each engine needs packages that the others do not.
	if kind is EngineKind.ONNX:
		from attendance_bridge.recognition.onnx_engine import OnnxEngine

		return OnnxEngine(pack, threads)
	if kind is EngineKind.OPENCV:
		from attendance_bridge.recognition.opencv_engine import OpencvEngine

		return OpencvEngine(pack, threads)
	from attendance_bridge.recognition.insightface_engine import InsightfaceEngine

	return InsightfaceEngine(pack, threads)
