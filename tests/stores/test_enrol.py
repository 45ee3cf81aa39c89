"""An enrollment goes into the gallery in one go: consent, templates, pictures, and out with former ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import MAX_PICTURE, Gallery
from attendance_bridge.stores.sealed import GalleryKey
from tests.stores.faces import MODEL, NOW, consent, template

pytest.importorskip("cryptography")


@pytest.fixture
def gallery(db: Database) -> Gallery:
	return Gallery.open(db, GalleryKey.new(), now=lambda: NOW, keep_pictures=True)


def test_consent_templates_and_pictures_come_together(db: Database, gallery: Gallery) -> None:
	new = [template(1), template(2)]
	pictures = {new[0].template_id: b"\xff\xd8 picture"}
	assert gallery.enrol(new, consent(), replace=True, by="hr", at=NOW, pictures=pictures) == 0
	assert Consents(db).of("HR-EMP-1") == consent()
	assert gallery.by_employee("HR-EMP-1") == new
	assert gallery.picture(new[0].template_id) == b"\xff\xd8 picture"
	assert gallery.picture(new[1].template_id) is None
	assert gallery.untold(10) == new
	assert Erasures(db).records() == []


def test_only_former_templates_of_this_person_and_model_are_replaced(db: Database, gallery: Gallery) -> None:
	others = [template(10, "HR-EMP-2"), template(11, model="another")]
	Consents(db).give([consent(), consent("HR-EMP-2")])
	gallery.add([template(1), template(2), *others])
	assert gallery.enrol([template(3)], consent(days=1), replace=True, by="hr", at=NOW) == 2
	assert list(gallery.all(MODEL)) == sorted([template(3), others[0]], key=lambda each: each.template_id)
	assert list(gallery.all("another")) == [others[1]]
	(record,) = Erasures(db).records()
	assert (record.employee, record.templates, record.erased_by) == ("HR-EMP-1", 2, "hr")
	assert record.reason is ErasureReason.REPLACED
	assert record.traces_gone_at is not None


def test_former_templates_stay_if_they_are_not_to_be_replaced(gallery: Gallery) -> None:
	gallery.enrol([template(1)], consent(), replace=False, by="hr", at=NOW)
	assert gallery.enrol([template(2)], consent(days=1), replace=False, by="hr", at=NOW) == 0
	assert gallery.by_employee("HR-EMP-1") == [template(1), template(2)]


@pytest.mark.parametrize("given", [None, consent(withdrawn=NOW)], ids=["none", "withdrawn"])
def test_without_consent_nothing_changes(db: Database, gallery: Gallery, given: object) -> None:
	with pytest.raises(StoreError) as raised:
		gallery.enrol([template(1)], given, replace=True, by="hr", at=NOW)  # type: ignore[arg-type]
	assert raised.value.code is Code.CONSENT_MISSING
	assert Consents(db).of("HR-EMP-1") is None
	assert gallery.counts() == {}


def test_a_picture_too_large_leaves_the_former_templates(gallery: Gallery) -> None:
	gallery.enrol([template(1)], consent(), replace=True, by="hr", at=NOW)
	new = template(2)
	large = {new.template_id: bytes(MAX_PICTURE + 1)}
	with pytest.raises(ValueError, match="too large"):
		gallery.enrol([new], consent(), replace=True, by="hr", at=NOW, pictures=large)
	assert gallery.by_employee("HR-EMP-1") == [template(1)]


def test_templates_of_two_people_are_refused(gallery: Gallery) -> None:
	two = [template(1), replace(template(2), employee="HR-EMP-2")]
	with pytest.raises(ValueError, match="unpack"):
		gallery.enrol(two, consent(), replace=True, by="hr", at=NOW)


def test_who_takes_it_back_while_being_enrolled_is_not_enrolled(db: Database, gallery: Gallery) -> None:
	gallery.enrol([template(1)], consent(), replace=True, by="hr", at=NOW)
	again = consent(days=1)
	Erasures(db).withdraw("HR-EMP-1", by="kiosk", at=again.given_at + timedelta(seconds=20))
	with pytest.raises(StoreError) as raised:
		gallery.enrol([template(2)], again, replace=True, by="hr", at=NOW + timedelta(days=2))
	assert raised.value.code is Code.CONSENT_MISSING
	assert gallery.counts() == {}
	# Whoever agrees after that is.
	assert gallery.enrol([template(3)], consent(days=3), replace=True, by="hr", at=NOW) == 0
	assert gallery.by_employee("HR-EMP-1") == [template(3)]
