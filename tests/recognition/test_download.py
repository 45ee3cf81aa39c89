"""Packs are fetched from a real server on loopback, as one file or out of an archive."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from attendance_bridge.cli import models as command
from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.recognition.download import install
from attendance_bridge.recognition.pack import MANIFEST

NETWORK = b"as good as a network" * 1000


def zipped(**members: bytes) -> bytes:
	buffer = io.BytesIO()
	with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
		for name, content in members.items():
			archive.writestr(f"{name}.onnx", content)
	return buffer.getvalue()


ANSWERS = {
	"/right.onnx": NETWORK,
	"/wrong.onnx": NETWORK[:-1] + b"!",
	"/short.onnx": NETWORK[:-1],
	"/long.onnx": NETWORK * 2,
	"/right.zip": zipped(other=b"?", network=NETWORK),
	"/wrong.zip": zipped(network=NETWORK[:-1] + b"!"),
	"/bomb.zip": zipped(network=bytes(50_000_000)),
	"/without.zip": zipped(other=NETWORK),
	"/no.zip": b"no archive",
}


class Handler(BaseHTTPRequestHandler):
	def do_GET(self) -> None:  # the name that http.server wants
		if self.path == "/elsewhere.onnx":
			self.send_response(302)
			self.send_header("Location", "/right.onnx")
			self.end_headers()
			return
		content = ANSWERS.get(self.path)
		self.send_response(200 if content else 404)
		self.end_headers()
		self.wfile.write(content or b"")

	def log_message(self, *_: object) -> None:
		pass


@pytest.fixture
def server() -> Iterator[str]:
	with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
		thread = threading.Thread(target=made.serve_forever)
		thread.start()
		try:
			yield f"http://127.0.0.1:{made.server_port}"
		finally:
			made.shutdown()
			thread.join()


def manifest(url: str) -> str:
	member = 'member = "network.onnx"\n' if url.endswith(".zip") else ""
	return (
		'name = "trial"\nversion = "1"\nlabel = "A trial"\nlicence = "none"\nnotice = "Only a trial."\n'
		"commercial_use = false\n[liveness]\n[liveness.file]\n"
		f'name = "net.onnx"\nsha256 = "{hashlib.sha256(NETWORK).hexdigest()}"\nbytes = {len(NETWORK)}\n'
		f'url = "{url}"\n{member}[liveness.normalisation]\ncolour = "bgr"\n'
	)


@pytest.mark.parametrize("path", ["/right.onnx", "/right.zip", "/elsewhere.onnx"])
def test_what_is_right_arrives(server: str, tmp_path: Path, path: str) -> None:
	pack = install(manifest(server + path), tmp_path / "trial")
	assert pack.path(pack.manifest.files[0]).read_bytes() == NETWORK
	assert {each.name for each in pack.folder.iterdir()} == {"net.onnx", MANIFEST}


@pytest.mark.parametrize(
	("path", "code"),
	[
		("/wrong.onnx", Code.MODEL_DAMAGED),
		("/short.onnx", Code.MODEL_DAMAGED),
		("/long.onnx", Code.MODEL_NOT_FETCHED),
		("/nothing.onnx", Code.MODEL_NOT_FETCHED),
		("/wrong.zip", Code.MODEL_DAMAGED),
		("/bomb.zip", Code.MODEL_DAMAGED),
		("/without.zip", Code.MODEL_NOT_FETCHED),
		("/no.zip", Code.MODEL_NOT_FETCHED),
	],
)
def test_of_what_is_not_right_nothing_stays(server: str, tmp_path: Path, path: str, code: Code) -> None:
	with pytest.raises(RecognitionError) as caught:
		install(manifest(server + path), tmp_path / "trial")
	assert caught.value.code is code
	assert list((tmp_path / "trial").iterdir()) == []


def test_nobody_answers(tmp_path: Path) -> None:
	with pytest.raises(RecognitionError) as caught:
		install(manifest("http://127.0.0.1:9/right.onnx"), tmp_path / "trial")
	assert (caught.value.code, caught.value.retryable) == (Code.MODEL_NOT_FETCHED, True)


def test_what_is_there_is_not_fetched_again(server: str, tmp_path: Path) -> None:
	told: list[str] = []
	for _ in range(2):
		install(
			manifest(f"{server}/right.onnx"),
			tmp_path / "trial",
			on_piece=lambda url, _count: told.append(url),
		)
	assert len(set(told)) == 1
	(tmp_path / "trial" / "net.onnx").write_bytes(b"spoiled")
	install(manifest(f"{server}/right.onnx"), tmp_path / "trial")
	assert (tmp_path / "trial" / "net.onnx").read_bytes() == NETWORK


def test_a_file_is_taken_from_a_folder_that_is_named(tmp_path: Path) -> None:
	beside = tmp_path / "stick"
	beside.mkdir()
	(beside / "net.onnx").write_bytes(NETWORK)
	text = manifest("").replace('url = ""\n', "")
	with pytest.raises(RecognitionError) as caught:
		install(text, tmp_path / "trial")
	assert caught.value.code is Code.MODEL_NOT_OFFERED
	assert install(text, tmp_path / "trial", beside=beside).manifest.name == "trial"


# the command


@pytest.fixture
def known(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
	"""The command knows one pack, and it is on loopback."""
	from attendance_bridge.recognition.pack import parse_manifest

	text = manifest(f"{server}/right.zip")
	monkeypatch.setattr(command, "known_texts", lambda: {"trial": text})
	monkeypatch.setattr(command, "known_manifests", lambda: {"trial": parse_manifest(text)})


def run(*arguments: str, answer: str = "") -> tuple[int, str]:
	result = CliRunner().invoke(command.models, arguments, input=answer, standalone_mode=False)
	code = result.return_value if isinstance(result.return_value, int) else 0
	return (1 if result.exception else code), result.output


@pytest.mark.usefixtures("known")
def test_the_licence_is_asked_for_and_a_no_fetches_nothing(tmp_path: Path) -> None:
	code, output = run("download", "trial", "--folder", str(tmp_path), answer="n\n")
	assert code == 1
	assert "Only a trial." in output
	assert "NO COMMERCIAL USE" in output
	assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("known")
def test_a_pack_is_listed_shown_fetched_and_verified(tmp_path: Path) -> None:
	folder = ("--folder", str(tmp_path))
	assert "trial" in run("list", *folder)[1]
	assert "network.onnx" not in run("show", "trial")[1]
	assert run("verify", "trial", *folder)[0] == 6
	code, output = run("download", "trial", *folder, answer="y\n")
	assert (code, "every file is the one" in output) == (0, True)
	assert run("verify", "trial", *folder)[0] == 0
	assert run("verify", str(tmp_path / "trial"))[0] == 0
	(tmp_path / "trial" / "net.onnx").write_bytes(b"")
	code, output = run("verify", "trial", *folder)
	assert (code, "Download the pack again" in output) == (6, True)
