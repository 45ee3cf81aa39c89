"""Writes small ONNX files: just enough of the format for `recognition.tiny`, so that it needs no package.

The numbers are the field numbers of onnx.proto3 (ONNX 1.x); a file is one protocol-buffers message.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPSET = 17
_FLOAT, _INT64 = 1, 7
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 7

Attribute = int | float | Sequence[int]
Shape = Sequence[int | str]
"""Sizes; a name where any size will do."""


@dataclass
class Graph:
	"""A graph that is built up operator by operator."""

	name: str
	_nodes: list[bytes] = field(default_factory=list)
	_constants: list[bytes] = field(default_factory=list)
	_inputs: list[bytes] = field(default_factory=list)
	_outputs: list[bytes] = field(default_factory=list)
	_count: int = 0

	def input(self, name: str, shape: Shape) -> str:
		self._inputs.append(_value(name, shape))
		return name

	def output(self, name: str, shape: Shape) -> None:
		self._outputs.append(_value(name, shape))

	def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
		name = self._new_name("constant")
		kind = _INT64 if values.dtype == np.int64 else _FLOAT
		body = b"".join(_number(1, side) for side in values.shape)
		body += _number(2, kind) + _text(8, name) + _bytes(9, values.tobytes())
		self._constants.append(body)
		return name

	def add(
		self,
		operator: str,
		inputs: Sequence[str],
		attributes: Mapping[str, Attribute] | None = None,
		output: str = "",
	) -> str:
		"""Put an operator behind what there is; returns the name of its output."""
		output = output or self._new_name(operator.lower())
		body = b"".join(_text(1, each) for each in inputs) + _text(2, output)
		body += _text(3, f"node_{output}") + _text(4, operator)
		body += b"".join(_bytes(5, _attribute(key, value)) for key, value in (attributes or {}).items())
		self._nodes.append(body)
		return output

	def to_bytes(self) -> bytes:
		"""The file."""
		graph = b"".join(_bytes(1, each) for each in self._nodes) + _text(2, self.name)
		graph += b"".join(_bytes(5, each) for each in self._constants)
		graph += b"".join(_bytes(11, each) for each in self._inputs)
		graph += b"".join(_bytes(12, each) for each in self._outputs)
		return _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, OPSET))

	def _new_name(self, kind: str) -> str:
		self._count += 1
		return f"{kind}_{self._count}"


def _value(name: str, shape: Shape) -> bytes:
	sides = b"".join(
		_bytes(1, _number(1, side) if isinstance(side, int) else _text(2, side)) for side in shape
	)
	tensor = _number(1, _FLOAT) + _bytes(2, sides)
	return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
	if isinstance(value, float):
		return _text(1, name) + _key(2, 5) + struct.pack("<f", value) + _number(20, _ATTRIBUTE_FLOAT)
	if isinstance(value, int):
		return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
	return _text(1, name) + b"".join(_number(8, each) for each in value) + _number(20, _ATTRIBUTE_INTS)


def _key(number: int, wire_type: int) -> bytes:
	return _varint(number << 3 | wire_type)


def _number(number: int, value: int) -> bytes:
	return _key(number, 0) + _varint(value)


def _text(number: int, value: str) -> bytes:
	return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
	return _key(number, 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
	value &= 0xFFFFFFFFFFFFFFFF  # a negative number is written as the 64 bits of its two's complement
	out = bytearray()
	while value > 0x7F:
		out.append(value & 0x7F | 0x80)
		value >>= 7
	out.append(value)
	return bytes(out)
