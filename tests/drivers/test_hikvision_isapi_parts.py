"""Documents out of streams that keep to their own rules: split anywhere, damaged, without end."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.drivers.hikvision_isapi.parts import MAX_DOCUMENT, Part, PartReader, split_documents

JSON = json.dumps({"eventType": "AccessControllerEvent", "text": 'a "quoted" } brace \\', "n": [1, {"x": 2}]})
PRETTY = json.dumps(json.loads(JSON), indent="\t")
XML = (
	'<?xml version="1.0" encoding="UTF-8"?>\n<EventNotificationAlert version="2.0"'
	' xmlns="http://www.isapi.org/ver20/XMLSchema"><eventType>videoloss</eventType>'
	"</EventNotificationAlert>"
)
PICTURE = b"\xff\xd8" + bytes(range(256)) * 3 + b'{"not": "a document"}' + b"\xff\xd9"


def part(document: str, kind: str = "application/json", *, length: int | None = -1) -> bytes:
	body = document.encode()
	length = len(body) if length == -1 else length
	head = f"Content-Type: {kind}\r\n" + (f"Content-Length: {length}\r\n" if length is not None else "")
	return b"--MIME_boundary\r\n" + head.encode() + b"\r\n" + body + b"\r\n"


def picture(*, with_length: bool) -> bytes:
	length = f"Content-Length: {len(PICTURE)}\r\n" if with_length else ""
	return f"--MIME_boundary\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + PICTURE + b"\r\n"


def read(stream: bytes, content_type: str = "multipart/mixed; boundary=MIME_boundary") -> list[bytes]:
	return [found.body for found in split_documents(content_type, stream)]


DOCUMENTS = [JSON.encode(), PRETTY.encode(), XML.encode()]
STREAMS = {
	"as it should be": part(JSON) + part(PRETTY) + part(XML, "application/xml"),
	"no lengths": part(JSON, length=None)
	+ part(PRETTY, length=None)
	+ part(XML, "application/xml", length=None),
	"wrong lengths": part(JSON, length=3) + part(PRETTY, length=99999) + part(XML, "text/xml", length=0),
	"pictures between": part(JSON)
	+ picture(with_length=True)
	+ part(PRETTY)
	+ picture(with_length=False)
	+ part(XML, "application/xml"),
	"a picture that is announced too long": part(JSON)
	+ picture(with_length=True).replace(f"{len(PICTURE)}".encode(), b"99999")
	+ part(PRETTY)
	+ part(XML, "application/xml"),
	"bare": JSON.encode() + b"\r\n" + PRETTY.encode() + b"\n" + XML.encode(),
	"joined": JSON.encode() + PRETTY.encode() + XML.encode(),
	"headers without delimiters": (part(JSON) + part(PRETTY) + part(XML, "application/xml")).replace(
		b"--MIME_boundary\r\n", b""
	),
	"delimiters without headers": b"\n".join(b"--x\n" + each for each in DOCUMENTS) + b"\n--x--",
	"form data": b"".join(
		b'--f\r\nContent-Disposition: form-data; name="event_log"\r\n\r\n' + each + b"\r\n"
		for each in DOCUMENTS
	)
	+ b"--f--\r\n",
	"prose between": b"hello\r\n" + b"\r\n\0bye bye\r\n".join(DOCUMENTS),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
	"content_type",
	[
		"",
		"multipart/mixed; boundary=MIME_boundary",
		'multipart/form-data; boundary="other"',
		"text/plain",
		";;",
	],
)
def test_documents_are_found_however_they_are_wrapped(name: str, content_type: str) -> None:
	assert read(STREAMS[name], content_type) == DOCUMENTS


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_pieces_may_end_anywhere(name: str, size: int) -> None:
	stream, reader, found = STREAMS[name], PartReader("multipart/mixed; boundary=MIME_boundary"), []
	for start in range(0, len(stream), size):
		found += reader.feed(stream[start : start + size])
	assert [each.body for each in found] == DOCUMENTS


@pytest.mark.parametrize("name", STREAMS)
def test_a_document_is_there_as_soon_as_its_last_byte_is(name: str) -> None:
	"""The delimiter before the next part may come hours later."""
	stream, reader = STREAMS[name], PartReader()
	end = stream.index(DOCUMENTS[-1]) + len(DOCUMENTS[-1])
	found = reader.feed(stream[: end - 1])
	assert [each.body for each in found] == DOCUMENTS[:-1]
	assert [each.body for each in reader.feed(stream[end - 1 : end])] == DOCUMENTS[-1:]


def test_a_document_that_breaks_off_costs_itself_only() -> None:
	broken = part(JSON[:40]) + part(PRETTY) + part(XML[:120], "application/xml") + part(JSON)
	assert read(broken) == [b"", PRETTY.encode(), b"", JSON.encode()]


def test_a_document_without_end_is_told_when_the_stream_ends() -> None:
	assert split_documents("", JSON.encode()[:-1]) == [Part(b"")]
	assert split_documents("", b"--b\r\nContent-Type: application/json\r\n\r\n") == []
	assert split_documents("", b"") == []


@pytest.mark.parametrize("line", [b"--x\r\n", b"x\n", b"a: b\n\n"])
def test_a_request_of_lines_that_belong_to_nothing_is_given_up(line: bytes) -> None:
	assert read(line * 500 + part(JSON)) == [JSON.encode()]
	assert read(line * 200_000 + part(JSON)) == [b""]


@pytest.mark.parametrize("with_length", [True, False])
def test_what_is_too_large_is_passed_over_and_told(with_length: bool) -> None:
	huge = '{"a": "' + "x" * (2 * MAX_DOCUMENT) + '"}'
	stream = part(huge, length=-1 if with_length else None) + part(JSON)
	assert read(stream) == [b"", JSON.encode()]


def test_after_a_bare_document_that_is_too_large_the_way_is_found() -> None:
	huge = b'{"a": "' + b"x" * (2 * MAX_DOCUMENT) + b'"}'
	reader = PartReader()
	found = [each for start in range(0, len(huge), 4096) for each in reader.feed(huge[start : start + 4096])]
	found += reader.feed(b"\r\n" + JSON.encode())
	assert [each.body for each in found] == [b"", JSON.encode()]


def test_depth_is_bounded() -> None:
	assert read(part("[" * 10) + part('{"a":' * 1000 + "}" * 1000) + part(JSON)) == [b"", JSON.encode()]


@pytest.mark.parametrize(
	"filler", [b"x", b"\n", b"<", b"{", b"--", b"--a\n", b"a: b\n", b"\xff", b'"', b"<?x ", b"\\"]
)
def test_a_stream_without_end_takes_no_memory(filler: bytes) -> None:
	reader = PartReader(max_document=65_536)
	piece = filler * (16_384 // len(filler))
	tracemalloc.start()
	try:
		for _ in range(17):
			reader.feed(piece)
		_now, peak = tracemalloc.get_traced_memory()
	finally:
		tracemalloc.stop()
	assert peak < 4 * 65_536


def test_delimiters_without_end_are_no_stream() -> None:
	reader = PartReader()
	reader.feed(b"--a\r\n" * 1000)
	assert reader.passed_over == 5000


@settings(max_examples=300, deadline=None)
@given(
	st.lists(
		st.one_of(
			st.binary(max_size=40), st.sampled_from([*DOCUMENTS, b"--b\r\n", b"\r\n\r\n", b"{", b"<a>"])
		)
	)
)
def test_anything_may_come_in_any_pieces(pieces: list[bytes]) -> None:
	reader, whole = PartReader("multipart/mixed; boundary=b"), PartReader("multipart/mixed; boundary=b")
	found = [each for piece in pieces for each in reader.feed(piece)]
	assert [*found, *reader.close()] == [*whole.feed(b"".join(pieces)), *whole.close()]
