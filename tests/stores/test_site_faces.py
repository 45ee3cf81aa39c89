"""What the site says of faces, taken over; and what it is to be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.faces import ErasureOrder, PersonFaces
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.sealed import GalleryKey
from attendance_bridge.stores.site_faces import BY, SiteFaces
from tests.stores.faces import MODEL, NOW, consent, page, person, template

pytest.importorskip("cryptography")

ANNA, BEN = "HR-EMP-1", "HR-EMP-2"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
	with Database.open(tmp_path / "edge.db") as db:
		yield db


@pytest.fixture
def gallery(db: Database) -> Gallery:
	return Gallery.open(db, GalleryKey.new(), now=lambda: NOW)


@pytest.fixture
def faces(db: Database, gallery: Gallery) -> SiteFaces:
	return SiteFaces(db, gallery)


def held(gallery: Gallery) -> list[tuple[str, UUID]]:
	return sorted((each.employee, each.template_id) for each in gallery.all(MODEL))


def ids(employee: str, *seeds: int) -> list[tuple[str, UUID]]:
	return sorted((employee, template(seed).template_id) for seed in seeds)


def enrol(gallery: Gallery, db: Database, *seeds: int, employee: str = ANNA) -> None:
	Consents(db).give([consent(employee)])
	gallery.add([template(seed, employee) for seed in seeds])


def test_templates_of_a_model_that_was_not_asked_for_stay(db: Database, faces: SiteFaces) -> None:
	with_pictures = Gallery.open(db, faces._gallery._key, now=lambda: NOW, keep_pictures=True)
	Consents(db).give([consent(ANNA)])
	old = template(1, model="before-1")
	with_pictures.add([old], pictures={old.template_id: b"jpeg"})
	with_pictures.mark_told([old.template_id])
	# Another pack is in use now, and the agent asks for its templates only.
	assert faces.take(page(person(ANNA)), NOW, models=[MODEL]) == 0
	assert with_pictures.picture(old.template_id) == b"jpeg"
	assert with_pictures.outdated(MODEL) == [ANNA]
	assert faces.take(page(person(ANNA)), NOW, models=[MODEL, "before-1"]) == 1
	assert with_pictures.picture(old.template_id) is None


def order(
	reason: ErasureReason = ErasureReason.WITHDRAWN, *, name: str = "E-1", hours: float = 1
) -> ErasureOrder:
	return ErasureOrder(erasure=name, employee=ANNA, reason=reason, at=NOW + timedelta(hours=hours))


def test_a_person_is_taken_whole(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	assert faces.take(page(person(ANNA, 1, 2), person(BEN, 3)), NOW, models=[MODEL]) == 0
	assert held(gallery) == ids(ANNA, 1, 2) + ids(BEN, 3)
	revision = gallery.revision()
	assert faces.take(page(person(ANNA, 1, 2)), NOW, models=[MODEL]) == 0
	assert gallery.revision() == revision
	assert faces.take(page(person(ANNA, 2, 4)), LATER, models=[MODEL]) == 1
	assert held(gallery) == ids(ANNA, 2, 4) + ids(BEN, 3)
	(record,) = Erasures(db).records()
	assert (record.employee, record.reason, record.erased_by, record.templates) == (
		ANNA,
		ErasureReason.REPLACED,
		BY,
		1,
	)
	assert record.traces_gone_at == LATER
	assert gallery.untold(10) == []


def test_what_the_site_was_not_told_of_stays(gallery: Gallery, db: Database, faces: SiteFaces) -> None:
	enrol(gallery, db, 1, 2)
	faces.take(page(person(ANNA, 3)), NOW, models=[MODEL])
	assert held(gallery) == ids(ANNA, 1, 2, 3)
	gallery.mark_told([template(1).template_id])
	faces.take(page(person(ANNA, 2, 3)), NOW, models=[MODEL])
	assert held(gallery) == ids(ANNA, 2, 3), "the first was told, and the site does not have it any more"
	assert gallery.untold(10) == []


def test_what_the_site_cannot_open_stays(gallery: Gallery, faces: SiteFaces) -> None:
	faces.take(page(person(ANNA, 1, 2)), NOW, models=[MODEL])
	locked = frozenset({template(1).template_id})
	faces.take(
		page(PersonFaces(employee=ANNA, consent=consent(ANNA), templates=(), locked=locked)),
		NOW,
		models=[MODEL],
	)
	assert held(gallery) == ids(ANNA, 1)


def test_nobody_is_known_without_a_consent(gallery: Gallery, db: Database, faces: SiteFaces) -> None:
	faces.take(page(PersonFaces(employee=ANNA, consent=None, templates=(template(1),))), NOW, models=[MODEL])
	assert held(gallery) == []
	without = Gallery(db, gallery._key, keep_pictures=False, consent_required=False)
	SiteFaces(db, without).take(
		page(PersonFaces(employee=ANNA, consent=None, templates=(template(1),))), NOW, models=[MODEL]
	)
	assert held(gallery) == ids(ANNA, 1)


def test_a_withdrawn_consent_erases_everything_of_the_person(
	db: Database, gallery: Gallery, faces: SiteFaces
) -> None:
	enrol(gallery, db, 1)
	faces.take(page(person(ANNA, 2), person(BEN, 3)), NOW, models=[MODEL])
	withdrawn = consent(ANNA, withdrawn=LATER)
	assert faces.take(page(person(ANNA, given=withdrawn)), LATER, models=[MODEL]) == 2
	assert held(gallery) == ids(BEN, 3)
	assert Erasures(db).records(ANNA)[0].reason is ErasureReason.WITHDRAWN
	assert faces.untold_acts(ErasureReason.WITHDRAWN, 9) == [], "the site knows"
	assert faces.untold_consents(9) == []
	with pytest.raises(StoreError) as raised:
		gallery.add([template(4)])
	assert raised.value.code is Code.CONSENT_MISSING


def test_a_consent_comes_back_to_the_second(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	given = replace(
		consent(ANNA), given_at=NOW + timedelta(microseconds=123_456), text_language="ar", given_to="x"
	)
	Consents(db).give([given])
	assert faces.untold_consents(9) == [given]
	faces.take(page(person(ANNA, 1, given=replace(given, given_at=NOW))), NOW, models=[MODEL])
	assert Consents(db).of(ANNA) == given
	assert faces.untold_consents(9) == []
	ended = replace(given, given_at=NOW, withdrawn_at=NOW)
	assert faces.take(page(person(ANNA, given=ended)), NOW, models=[MODEL]) == 1
	latest = Consents(db).of(ANNA)
	assert latest is not None
	assert not latest.holds


def test_older_consents_end_with_the_latest(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	Consents(db).give([consent(ANNA, days=-1), consent(ANNA)])
	faces.take(page(person(ANNA, given=consent(ANNA, withdrawn=LATER))), LATER, models=[MODEL])
	with pytest.raises(StoreError):
		gallery.add([template(1)])


def test_told_means_as_it_stands(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	enrol(gallery, db, 1)
	(given,) = faces.untold_consents(9)
	Erasures(db).withdraw(ANNA, by="kiosk", at=LATER)
	faces.consents_told([given])
	(again,) = faces.untold_consents(9)
	assert again.withdrawn_at == LATER
	faces.consents_told([again])
	assert faces.untold_consents(9) == []
	((number, act),) = faces.untold_acts(ErasureReason.WITHDRAWN, 9)
	assert (act.employee, act.erased_by) == (ANNA, "kiosk")
	faces.acts_told([number])
	assert faces.untold_acts(ErasureReason.WITHDRAWN, 9) == []


def test_whoever_is_gone_leaves_what_was_captured_here(
	db: Database, gallery: Gallery, faces: SiteFaces
) -> None:
	faces.take(page(person(ANNA, 1)), NOW, models=[MODEL])
	gallery.add([template(2)])
	assert faces.take(page(gone=(ANNA,)), NOW, models=[MODEL]) == 1
	assert held(gallery) == ids(ANNA, 2)


def test_a_whole_list_forgets_whoever_is_not_in_it(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	faces.take(page(person(ANNA, 1), person(BEN, 2)), NOW, models=[MODEL])
	enrol(gallery, db, 3, employee="HR-EMP-3")
	assert faces.keep_only({BEN}, NOW) == 1
	assert held(gallery) == ids(BEN, 2) + ids("HR-EMP-3", 3)


def test_nothing_central(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	enrol(gallery, db, 1)
	faces.take(page(person(ANNA, 1, 2)), NOW, models=[MODEL])
	assert faces.take(page(person(ANNA), central=False), NOW, models=[MODEL]) == 1
	assert held(gallery) == ids(ANNA, 1), "what was captured here stays"
	assert [each.template_id for each in gallery.untold(9)] == [template(1).template_id]
	assert faces.keep_only({ANNA}, NOW) == 0


def test_a_renamed_person_keeps_their_face(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	faces.take(page(person(ANNA, 1)), NOW, models=[MODEL])
	faces.take(page(person(BEN, 1)), NOW, models=[MODEL])
	assert held(gallery) == ids(BEN, 1)
	assert [each.vector for each in gallery.all(MODEL)] == [template(1).vector]


def test_what_is_refused_waits_for_the_next_whole_list(
	db: Database, gallery: Gallery, faces: SiteFaces
) -> None:
	enrol(gallery, db, 1)
	faces.refused([template(1).template_id])
	assert gallery.untold(9) == []
	faces.take(page(person(ANNA)), NOW, models=[MODEL])
	assert held(gallery) == ids(ANNA, 1)
	faces.take(page(whole=True), NOW, models=[MODEL])
	assert len(gallery.untold(9)) == 1


def test_an_order_is_obeyed_once_and_confirmed(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	enrol(gallery, db, 1, 2)
	assert faces.obey([order()], LATER) == 1
	assert held(gallery) == []
	(obeyed,) = faces.unconfirmed(9)
	assert (obeyed.erasure, obeyed.at, obeyed.templates, obeyed.traces_gone_at) == ("E-1", LATER, 2, LATER)
	faces.confirmed([obeyed])
	assert faces.unconfirmed(9) == []
	assert faces.obey([order()], LATER) == 0
	assert faces.unconfirmed(9) == [obeyed], "the site asks again: it has not heard"
	assert len(Erasures(db).records()) == 1
	assert faces.untold_acts(ErasureReason.WITHDRAWN, 9) == []


def test_it_is_confirmed_again_when_the_last_traces_are_gone(
	db: Database, gallery: Gallery, faces: SiteFaces
) -> None:
	enrol(gallery, db, 1)
	faces.obey([order()], LATER)
	(obeyed,) = faces.unconfirmed(9)
	faces.confirmed([replace(obeyed, traces_gone_at=None)])
	assert faces.unconfirmed(9) == [obeyed]


def test_an_order_reaches_what_was_captured_up_to_its_second(
	db: Database, gallery: Gallery, faces: SiteFaces
) -> None:
	Consents(db).give([consent(ANNA)])
	late = replace(template(1), captured_at=LATER + timedelta(seconds=0.9))
	after = replace(template(2), captured_at=LATER + timedelta(seconds=1))
	gallery.add([late, after, template(3)])
	faces.obey([order(ErasureReason.ASKED)], LATER + timedelta(minutes=1))
	assert held(gallery) == ids(ANNA, 2)
	latest = Consents(db).of(ANNA)
	assert latest is not None
	assert latest.holds
	Consents(db).give([consent(ANNA, days=1)])
	faces.obey([order(name="E-2", hours=2)], LATER)
	assert held(gallery) == []
	assert Consents(db).of(ANNA) == consent(ANNA, days=1)


def test_an_order_about_somebody_unknown_has_its_record(db: Database, faces: SiteFaces) -> None:
	faces.obey([order(ErasureReason.LEFT)], LATER)
	(obeyed,) = faces.unconfirmed(9)
	assert obeyed.templates == 0
	assert Erasures(db).records(ANNA)[0].reason is ErasureReason.LEFT


def test_what_newer_templates_replaced_is_told(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	enrol(gallery, db, 1)
	gallery.enrol([template(2)], None, replace=True, by="hr", at=LATER)
	assert faces.replaced(9) == [template(1).template_id]
	faces.replaced_told(faces.replaced(9))
	assert faces.replaced(9) == []


def test_another_key_takes_nothing(db: Database, gallery: Gallery, faces: SiteFaces) -> None:
	stale = SiteFaces(db, Gallery(db, gallery._key, keep_pictures=False, consent_required=True))
	gallery.rotate(GalleryKey.new())
	with pytest.raises(StoreError) as raised:
		stale.take(page(person(ANNA, 1)), NOW, models=[MODEL])
	assert raised.value.code is Code.GALLERY_KEY_WRONG
