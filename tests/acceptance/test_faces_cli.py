"""The commands around faces, as a user has them: a simulated camera, the key of the gallery, erasures."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from attendance_bridge.core.person import Person
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.gallery import Gallery, key_in_file
from attendance_bridge.stores.roster import Roster
from attendance_bridge.stores.second_factors import SecondFactors
from tests.acceptance.command import Running, run, run_installed
from tests.stores.faces import consent, template

pytest.importorskip("cryptography")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
	return tmp_path / "keys" / "gallery.key"


@pytest.fixture
def database(tmp_path: Path) -> Path:
	(tmp_path / "data").mkdir()
	return tmp_path / "data" / "bridge.db"


def filled(database: Path, key_file: Path) -> None:
	assert run("gallery", "create-key", "--db", database, "--key-file", key_file).code == 0
	with Database.open(database) as db:
		Consents(db).give([consent("HR-EMP-1"), consent("HR-EMP-2")])
		gallery = Gallery.open(db, key_in_file(db, key_file), now=lambda: datetime.now(timezone.utc))
		gallery.add([template(1), template(2), template(3, "HR-EMP-2")])


def test_a_key_is_made_rotated_and_never_shown(database: Path, key_file: Path) -> None:
	filled(database, key_file)
	first = key_file.read_text().strip()
	again = run("gallery", "create-key", "--db", database, "--key-file", key_file.with_name("b.key"))
	assert again.code == 5
	assert "No new key was made" in again.words
	rotated = run("gallery", "rotate-key", "--db", database, "--key-file", key_file)
	assert rotated.code == 0
	second = key_file.read_text().strip()
	assert first != second
	assert second not in rotated.words
	with Database.open(database) as db:
		gallery = Gallery.open(db, key_in_file(db, key_file), now=lambda: datetime.now(timezone.utc))
		assert len(list(gallery.all(template(1).model))) == 3


def test_a_key_beside_the_database_is_refused_in_words(database: Path) -> None:
	done = run("gallery", "create-key", "--db", database, "--key-file", database.with_name("gallery.key"))
	assert done.code == 5
	assert "one copy would carry both away" in done.words
	assert "Traceback" not in done.words


def test_an_erasure_is_proved(database: Path, key_file: Path) -> None:
	filled(database, key_file)
	key_file.unlink()  # it needs none
	done = run("gallery", "erase", "HR-EMP-1", "--withdrawn", "--db", database)
	assert "2 templates and 0 pictures erased (withdrawn)" in done.words
	assert "There is nothing of HR-EMP-1" in run("gallery", "erase", "HR-EMP-1", "--db", database).words
	(record,) = run("gallery", "erasures", "--db", database, "--json").json
	assert (record["employee"], record["templates"], record["reason"]) == ("HR-EMP-1", 2, "withdrawn")
	assert record["traces_gone_at"]
	given_up = run("gallery", "give-up", "--yes", "--db", database)
	assert "Erased the templates of 1 people" in given_up.words
	assert "key_lost" in run("gallery", "erasures", "--db", database, "--employee", "HR-EMP-2").words
	assert run("gallery", "create-key", "--db", database, "--key-file", key_file).code == 0


def test_a_scene_is_written_as_a_video(tmp_path: Path) -> None:
	pytest.importorskip("cv2")
	out = tmp_path / "scene.avi"
	done = run("simulate", "camera", "--play", "two-people", "--seconds", 2, "--fps", 10, "--out", out)
	assert (done.code, done.words) == (0, f"{out}: 20 frames of two-people")
	assert out.stat().st_size > 10_000
	for wrong in (("--play", "hamlet"), ("--out", tmp_path / "scene.gif")):
		refused = run("simulate", "camera", *wrong)
		assert refused.code == 2
		assert "Traceback" not in refused.words


def test_a_scene_is_served(tmp_path: Path) -> None:
	cv2 = pytest.importorskip("cv2")
	with Running("simulate", "camera", "--port", 0, log=tmp_path / "log") as camera:
		line = camera.wait_for("listening on")
		port = line.split("127.0.0.1:")[1].split()[0]
		timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 10_000]
		shown = cv2.VideoCapture(f"rtsp://127.0.0.1:{port}/door", cv2.CAP_FFMPEG, timeouts)
		assert shown.read()[0]
		shown.release()
		assert camera.end() == 0


def test_a_pin_is_given_and_taken_away(tmp_path: Path, database: Path) -> None:
	config = tmp_path / "edge.toml"
	config.write_text(f'[agent]\ndatabase = "{database}"\n', encoding="utf-8")
	with Database.open(database) as db:
		Roster(db).replace(
			[Person(employee="HR-EMP-1", full_name="First Person")], datetime.now(timezone.utc)
		)

	def factor(*arguments: str, typed: str = "") -> tuple[int, str]:
		command = ("edge", "factor", *arguments, "--config", config)
		done = run_installed(*command, typed=typed) if typed else run(*command)
		return done.code, done.out + done.err

	assert factor("set", "HR-EMP-1", typed="4711\n") == (0, "HR-EMP-1 has a new pin.\n")
	assert factor("list") == (0, "HR-EMP-1  pin\n")
	with Database.open(database) as db:
		assert SecondFactors(db).matches("HR-EMP-1", "pin", "4711")
		assert AuditLog(db).latest()[0].act == "second_factor_set"
	code, words = factor("set", "HR-EMP-1", typed="47\n")
	assert (code, "A PIN has 4 to 12 digits." in words) == (2, True)
	assert factor("set", "HR-EMP-404", typed="4711\n")[0] == 2
	assert factor("remove", "HR-EMP-1")[0] == 0
	assert factor("list") == (0, "Nobody has one.\n")
