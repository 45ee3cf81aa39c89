"""Another model: whoever has a kept picture is embedded again, the others are named."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import cv2

from attendance_bridge.core.consent import Consent
from attendance_bridge.edge.vision.networks import open_networks
from attendance_bridge.edge.vision.portraits import look_at
from attendance_bridge.edge.vision.reembedding import reembed
from attendance_bridge.edge.vision.settings import RecognitionSettings, Way
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.sealed import GalleryKey
from tests.edge.vision.rig import portrait_of

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=timezone.utc)


def test_from_kept_pictures(tmp_path: Path) -> None:
	engine = open_networks(RecognitionSettings(engine=Way.TINY, threads=1)).engine
	with Database.open(tmp_path / "edge.db") as database:
		gallery = Gallery.open(database, GalleryKey.new(), now=lambda: NOW, keep_pictures=True)
		Consents(database).give(
			Consent(employee=employee, given_at=NOW, text_version="1", text_sha256="0" * 64)
			for employee in ("E1", "E2", "E3")
		)
		image = portrait_of(1)
		made, jpeg = cv2.imencode(".jpg", image)
		assert made
		portrait = look_at(image, engine)[0]
		old = {
			employee: portrait.template(employee, "old-1", captured_at=NOW, captured_by="test")
			for employee in ("E1", "E2", "E3")
		}
		wall = cv2.imencode(".jpg", image[:60])[1].tobytes()
		gallery.add(
			old.values(), pictures={old["E1"].template_id: jpeg.tobytes(), old["E3"].template_id: wall}
		)
		result = reembed(gallery, engine)
		assert result.done == {"E1": 1}
		assert result.left == ("E2", "E3")
		(again,) = gallery.all(engine.model)
		assert again.employee == "E1"
		assert gallery.picture(again.template_id) == jpeg.tobytes()
		# Once more, and only what is left is tried.
		assert reembed(gallery, engine).done == {}
