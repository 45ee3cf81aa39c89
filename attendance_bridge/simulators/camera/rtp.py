"""JPEG pictures as RTP packets (RFC 3550, RFC 2435)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PAYLOAD_TYPE = 26
CLOCK_RATE = 90_000
_PAYLOAD = 1400
_TYPE_420 = 1
_TABLES_FOLLOW = 255
_QUANTISATION, _SCAN, _END = 0xDB, 0xDA, b"\xff\xd9"


def packets(
	jpeg: bytes, width: int, height: int, *, sequence: int, timestamp: int, source: int
) -> Iterator[bytes]:
	"""One picture as packets; the last one is marked.

	:param jpeg: baseline, 4:2:0, with the Huffman tables of the standard, as OpenCV writes it.
	:param sequence: of the first packet; counted up from there.
	:param timestamp: in ticks of CLOCK_RATE.
	:raises ValueError: the bytes are no such picture.
	"""
	tables, scan = _take_apart(jpeg)
	offset = 0
	while offset < len(scan):
		head = struct.pack(
			">IBBBB", offset & 0xFFFFFF, _TYPE_420, _TABLES_FOLLOW, (width + 7) // 8, (height + 7) // 8
		)
		if offset == 0:
			head += struct.pack(">BBH", 0, 0, len(tables)) + tables
		piece = scan[offset : offset + _PAYLOAD]
		offset += len(piece)
		marker = 0x80 if offset == len(scan) else 0
		yield (
			struct.pack(
				">BBHII", 0x80, marker | PAYLOAD_TYPE, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, source
			)
			+ head
			+ piece
		)
		sequence += 1


def _take_apart(jpeg: bytes) -> tuple[bytes, bytes]:
	"""The quantisation tables (for luminance, for colour) and the data of the scan."""
	tables: dict[int, bytes] = {}
	position = 2
	while position + 4 <= len(jpeg):
		marker = jpeg[position + 1]
		length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
		segment = jpeg[position + 4 : position + 2 + length]
		position += 2 + length
		if marker == _QUANTISATION:
			for start in range(0, len(segment), 65):
				tables[segment[start] & 0x0F] = segment[start + 1 : start + 65]
		if marker == _SCAN:
			return tables.get(0, b"") + tables.get(1, b""), jpeg[position:].removesuffix(_END)
	raise ValueError("no JPEG picture with a scan")
