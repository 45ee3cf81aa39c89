"""Fetches the networks of a known pack: only when somebody asks, and nothing else than what was meant.

A file arrives beside its place under another name, is checked against size and sha256, and is then moved
there in one step. The manifest comes last: a folder without one is no pack.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.pack import (
	MANIFEST,
	Manifest,
	ModelFile,
	Pack,
	check_file,
	is_allowed_url,
	open_pack,
	parse_manifest,
)

MAX_ARCHIVE_BYTES = 800_000_000
MAX_REDIRECTS = 5
TIMEOUTS = (10.0, 60.0)
"""Seconds to connect, and between two pieces."""
_PIECE = 1 << 18

OnPiece = Callable[[str, int], None]
"""(address, bytes that have just come)"""


def install(
	text: str, folder: Path, *, beside: Path | None = None, on_piece: OnPiece = lambda _url, _count: None
) -> Pack:
	"""Bring a pack into `folder`, which is made when it is missing.

	Files that are there and right already are left alone.

	:param text: the manifest.
	:param beside: a folder that is looked into for the files first.
	:raises RecognitionError: MODEL_NOT_OFFERED, MODEL_NOT_FETCHED, or MODEL_DAMAGED.
	"""
	manifest = parse_manifest(text)
	folder.mkdir(parents=True, exist_ok=True)
	missing = [file for file in manifest.files if not _adopted(file, folder, beside)]
	_refuse_unobtainable(manifest, missing)
	for url in sorted({file.url for file in missing}):
		_fetch(url, [file for file in missing if file.url == url], folder, on_piece)
	with _arriving(folder / MANIFEST) as part:
		part.write_text(text, encoding="utf-8")
	return open_pack(folder)


def _adopted(file: ModelFile, folder: Path, beside: Path | None) -> bool:
	"""Whether the file is in `folder`, if need be after it was copied from `beside`."""
	target = folder / file.name
	if _is_right(target, file):
		return True
	if beside is None or not _is_right(beside / file.name, file):
		return False
	with _arriving(target) as part:
		shutil.copyfile(beside / file.name, part)
		check_file(part, file)
	return True


def _is_right(path: Path, file: ModelFile) -> bool:
	try:
		check_file(path, file)
	except RecognitionError:
		return False
	return True


def _refuse_unobtainable(manifest: Manifest, missing: list[ModelFile]) -> None:
	if any(not file.url for file in missing):
		raise RecognitionError(Code.MODEL_NOT_OFFERED, pack=manifest.name)


def _fetch(url: str, files: list[ModelFile], folder: Path, on_piece: OnPiece) -> None:
	"""Fetch one address: one file, or an archive that holds several."""
	if len(files) == 1 and not files[0].member:
		with _arriving(folder / files[0].name) as part:
			_stream(url, part, files[0].bytes, on_piece)
			check_file(part, files[0])
		return
	archive = folder / "archive.part"
	try:
		_stream(url, archive, MAX_ARCHIVE_BYTES, on_piece)
		for file in files:
			with _arriving(folder / file.name) as part:
				_extract(archive, file, part)
				check_file(part, file)
	finally:
		archive.unlink(missing_ok=True)


def _stream(url: str, target: Path, limit: int, on_piece: OnPiece) -> None:
	"""Write what `url` gives into `target`; more than `limit` bytes are refused."""
	try:
		with requests.Session() as session:
			session.max_redirects = MAX_REDIRECTS
			with session.get(url, stream=True, timeout=TIMEOUTS) as response:
				_refuse_answer(url, response)
				_write(url, response, target, limit, on_piece)
	except requests.RequestException as error:
		raise RecognitionError(
			Code.MODEL_NOT_FETCHED, retryable=True, url=url, why=type(error).__name__
		) from None


def _refuse_answer(url: str, response: requests.Response) -> None:
	if response.status_code != requests.codes.ok:
		why = f"the server answers {response.status_code}"
		raise RecognitionError(Code.MODEL_NOT_FETCHED, retryable=True, url=url, why=why)
	if not all(is_allowed_url(step.url) for step in (*response.history, response)):
		why = "it leads to an address without encryption"
		raise RecognitionError(Code.MODEL_NOT_FETCHED, url=url, why=why)


def _write(url: str, response: requests.Response, target: Path, limit: int, on_piece: OnPiece) -> None:
	size = 0
	with target.open("wb") as file:
		for piece in response.iter_content(_PIECE):
			size += len(piece)
			if size > limit:
				why = f"it is larger than the {limit} bytes that were expected"
				raise RecognitionError(Code.MODEL_NOT_FETCHED, url=url, why=why)
			file.write(piece)
			on_piece(url, len(piece))


def _extract(archive: Path, file: ModelFile, target: Path) -> None:
	"""One member of a zip archive, no more of it than it should have."""
	try:
		with zipfile.ZipFile(archive) as opened, opened.open(file.member) as member, target.open("wb") as out:
			left = file.bytes + 1  # one more than there should be shows that it is too much
			while left > 0 and (piece := member.read(min(_PIECE, left))):
				out.write(piece)
				left -= len(piece)
	except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
		why = f"the archive does not give {file.member} ({type(error).__name__})"
		raise RecognitionError(Code.MODEL_NOT_FETCHED, url=file.url, why=why) from None


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
	"""A path to write to, that becomes `target` when all went well and vanishes otherwise."""
	part = target.with_name(f"{target.name}.part")
	try:
		yield part
		with part.open("rb") as file:
			os.fsync(file.fileno())
		part.replace(target)
	finally:
		part.unlink(missing_ok=True)
