from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from attendance_bridge.core.consent import ErasureReason, digest_of
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import MAX_PICTURE, Gallery
from attendance_bridge.stores.sealed import GalleryKey
from tests.stores.faces import MODEL, NOW, TEXT_SHA256, consent, template

pytest.importorskip("cryptography")

LATER = NOW + timedelta(days=1)


@pytest.fixture
def key() -> GalleryKey:
	return GalleryKey.new()


@pytest.fixture
def gallery(db: Database, key: GalleryKey) -> Gallery:
	Consents(db).give([consent("HR-EMP-1"), consent("HR-EMP-2")])
	return open_gallery(db, key)


def open_gallery(db: Database, key: GalleryKey, *, keep_pictures: bool = True) -> Gallery:
	return Gallery.open(db, key, now=lambda: LATER, keep_pictures=keep_pictures)


def by_id(templates: list[object]) -> list[object]:
	return sorted(templates, key=lambda each: each.template_id)  # type: ignore[attr-defined]


# holding


def test_templates_come_back_as_they_were(gallery: Gallery) -> None:
	odd = template(3, "HR-EMP-2", dimension=128)
	assert gallery.add([template(1), template(2), odd]) == 3
	assert list(gallery.all(MODEL)) == by_id([template(1), template(2), odd])
	assert gallery.by_employee("HR-EMP-1") == [template(1), template(2)]
	assert gallery.by_employee("nobody") == []


def test_a_text_that_is_no_unicode_comes_back(db: Database, gallery: Gallery) -> None:
	odd = template(1, "E\udcff", model="m\ud800")
	Consents(db).give([consent("E\udcff")])
	gallery.add([odd])
	assert list(gallery.all("m\ud800")) == [odd]


def test_the_same_template_again_is_no_second_one(gallery: Gallery) -> None:
	gallery.add([template(1)])
	revision = gallery.revision()
	assert gallery.add([template(1)]) == 0
	assert len(list(gallery.all(MODEL))) == 1
	assert gallery.revision() == revision


def test_models_are_never_mixed(gallery: Gallery) -> None:
	gallery.add([template(1), template(2, "HR-EMP-2", model="old-9"), template(3, model="old-9")])
	assert [each.template_id for each in gallery.all(MODEL)] == [template(1).template_id]
	assert gallery.counts() == {MODEL: {"HR-EMP-1": 1}, "old-9": {"HR-EMP-1": 1, "HR-EMP-2": 1}}
	assert gallery.outdated(MODEL) == ["HR-EMP-2"]
	assert gallery.outdated("new-1") == ["HR-EMP-1", "HR-EMP-2"]


def test_more_templates_than_a_page_come_all_and_once(gallery: Gallery) -> None:
	templates = [template(seed, dimension=4) for seed in range(1203)]
	assert gallery.add(templates) == 1203
	assert list(gallery.all(MODEL)) == by_id(list(templates))


def test_a_change_is_seen_by_its_revision(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	other = open_gallery(db, key)
	before = gallery.revision()
	other.add([template(1)])
	added = gallery.revision()
	Erasures(db).remove("HR-EMP-1", ErasureReason.ASKED, by="hr", at=NOW)
	assert before < added < gallery.revision()


def test_without_consent_nothing_is_held(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	with pytest.raises(StoreError) as raised:
		gallery.add([template(1), template(2, "HR-EMP-3")])
	assert raised.value.code is Code.CONSENT_MISSING
	assert raised.value.details["employee"] == "HR-EMP-3"
	assert gallery.counts() == {}
	free = Gallery.open(db, key, now=lambda: NOW, consent_required=False)
	assert free.add([template(2, "HR-EMP-3")]) == 1


# pictures


def test_a_picture_is_kept_where_the_company_keeps_them(gallery: Gallery) -> None:
	gallery.add([template(1), template(2)], pictures={template(1).template_id: b"\xff\xd8 jpeg"})
	assert gallery.picture(template(1).template_id) == b"\xff\xd8 jpeg"
	assert gallery.picture(template(2).template_id) is None


def test_a_picture_is_dropped_where_it_is_not_kept(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	careful = open_gallery(db, key, keep_pictures=False)
	careful.add([template(1)], pictures={template(1).template_id: b"jpeg"})
	assert careful.picture(template(1).template_id) is None


def test_a_picture_has_a_bound(gallery: Gallery) -> None:
	with pytest.raises(ValueError, match="too large"):
		gallery.add([template(1)], pictures={template(1).template_id: bytes(MAX_PICTURE + 1)})


# keys and tampering


def test_another_key_is_told_at_once(db: Database, gallery: Gallery) -> None:
	with pytest.raises(StoreError) as raised:
		open_gallery(db, GalleryKey.new())
	assert raised.value.code is Code.GALLERY_KEY_WRONG


def swap(db: Database, statement: str, *values: object) -> None:
	with db.write() as connection:
		assert connection.execute(statement, values).rowcount


@pytest.mark.parametrize(
	("column", "value"),
	[("employee", "HR-EMP-2"), ("model", MODEL), ("template_id", template(99).template_id.bytes)],
)
def test_a_row_that_is_made_anothers_does_not_open(
	db: Database, gallery: Gallery, column: str, value: object
) -> None:
	gallery.add([template(1, model="from"), template(2, "HR-EMP-2")])
	swap(db, f"UPDATE template SET {column} = ? WHERE template_id = ?", value, template(1).template_id.bytes)
	assert list(gallery.all(MODEL)) == [template(2, "HR-EMP-2")]
	assert list(gallery.all("from")) == []
	assert len(gallery.damaged()) == 1


def test_the_vector_of_another_person_does_not_open(db: Database, gallery: Gallery) -> None:
	gallery.add([template(1), template(2, "HR-EMP-2"), template(3)])
	taken = "(SELECT vector FROM template WHERE template_id = ?)"
	take_over = f"UPDATE template SET vector = {taken} WHERE template_id = ?"
	swap(db, take_over, template(2).template_id.bytes, template(1).template_id.bytes)
	assert list(gallery.all(MODEL)) == by_id([template(2, "HR-EMP-2"), template(3)])
	assert gallery.damaged() == [template(1).template_id]


def test_a_picture_is_no_vector(db: Database, gallery: Gallery) -> None:
	gallery.add([template(1)], pictures={template(1).template_id: template(7).vector})
	swap(db, "UPDATE template SET vector = (SELECT picture FROM template_picture)")
	swap(db, "UPDATE template_picture SET picture = zeroblob(5)")
	assert list(gallery.all(MODEL)) == []
	assert gallery.damaged() == [template(1).template_id]
	with pytest.raises(StoreError) as raised:
		gallery.picture(template(1).template_id)
	assert raised.value.code is Code.TEMPLATE_DAMAGED


@pytest.mark.parametrize("length", [0, 5, 27, 28, 2000])
def test_a_cut_vector_does_not_open(db: Database, gallery: Gallery, length: int) -> None:
	gallery.add([template(1)])
	swap(db, "UPDATE template SET vector = substr(vector, 1, ?)", length)
	assert list(gallery.all(MODEL)) == []


def test_everything_is_locked_anew(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	templates = [template(seed, dimension=16) for seed in range(700)]
	gallery.add(templates, pictures={template(5).template_id: b"jpeg"})
	following = GalleryKey.new()
	assert gallery.rotate(following)
	assert list(gallery.all(MODEL)) == by_id(list(templates))
	assert gallery.picture(template(5).template_id) == b"jpeg"
	assert list(open_gallery(db, following).all(MODEL)) == by_id(list(templates))
	with pytest.raises(StoreError) as raised:
		open_gallery(db, key)
	assert raised.value.code is Code.GALLERY_KEY_WRONG


def test_who_has_the_old_key_in_hand_cannot_go_on(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	gallery.add([template(1)])
	stale = open_gallery(db, key)
	gallery.rotate(GalleryKey.new())
	for act in (
		lambda: stale.add([template(2)]),
		lambda: list(stale.all(MODEL)),
		lambda: stale.damaged(),
		lambda: stale.rotate(GalleryKey.new()),
	):
		with pytest.raises(StoreError) as raised:
			act()
		assert raised.value.code is Code.GALLERY_KEY_WRONG


def test_a_damaged_row_keeps_the_old_key(db: Database, key: GalleryKey, gallery: Gallery) -> None:
	gallery.add([template(1), template(2)])
	swap(db, "UPDATE template SET vector = zeroblob(40) WHERE template_id = ?", template(2).template_id.bytes)
	with pytest.raises(StoreError) as raised:
		gallery.rotate(GalleryKey.new())
	assert raised.value.code is Code.TEMPLATE_DAMAGED
	assert list(gallery.all(MODEL)) == list(open_gallery(db, key).all(MODEL)) == [template(1)]


# consent and erasure


def test_a_consent_comes_back_as_it_was(db: Database, gallery: Gallery) -> None:
	assert Consents(db).of("HR-EMP-1") == consent("HR-EMP-1")
	assert Consents(db).of("nobody") is None
	Consents(db).give([consent("HR-EMP-1", days=3)])
	assert Consents(db).of("HR-EMP-1") == consent("HR-EMP-1", days=3)


@pytest.mark.parametrize(
	"field", [{"text_sha256": "x" * 64}, {"employee": ""}, {"given_at": NOW.replace(tzinfo=None)}]
)
def test_a_consent_that_proves_nothing_is_refused(field: dict[str, object]) -> None:
	values: dict[str, object] = {
		"employee": "E",
		"given_at": NOW,
		"text_version": "1",
		"text_sha256": TEXT_SHA256,
		**field,
	}
	with pytest.raises(ValueError, match=r".+"):
		type(consent())(**values)  # type: ignore[arg-type]


def test_an_erasure_is_proved(db: Database, gallery: Gallery) -> None:
	gallery.add(
		[template(1), template(2), template(3, "HR-EMP-2")], pictures={template(1).template_id: b"jpeg"}
	)
	erasure = Erasures(db).remove("HR-EMP-1", ErasureReason.LEFT, by="retention", at=LATER)
	assert erasure is not None
	assert (erasure.employee, erasure.erased_at, erasure.reason) == ("HR-EMP-1", LATER, ErasureReason.LEFT)
	assert (erasure.erased_by, erasure.templates, erasure.pictures) == ("retention", 2, 1)
	assert erasure.ids_sha256 == digest_of([template(2).template_id, template(1).template_id])
	assert erasure.traces_gone_at == LATER
	assert Erasures(db).records() == [erasure]
	assert Erasures(db).records("HR-EMP-2") == []
	assert list(gallery.all(MODEL)) == [template(3, "HR-EMP-2")]
	assert Erasures(db).remove("HR-EMP-1", ErasureReason.LEFT, by="retention", at=LATER) is None


def test_the_digest_is_of_the_bytes_of_the_ids_in_order() -> None:
	# head -c 15 /dev/zero; printf '\x01'; head -c 15 /dev/zero; printf '\x02', through sha256sum
	one, two = uuid.UUID(int=1), uuid.UUID(int=2)
	expected = "78d68721debb423cf880232869a63e2522c3dd6187159cbeb15b3ee7e15925f8"
	assert digest_of([two, one]) == digest_of([one, two]) == expected


def test_withdrawing_erases_and_keeps_out(db: Database, gallery: Gallery) -> None:
	gallery.add([template(1), template(3, "HR-EMP-2")])
	erasure = Erasures(db).withdraw("HR-EMP-1", by="hr@example.com", at=LATER)
	assert erasure is not None
	assert (erasure.reason, erasure.templates) == (ErasureReason.WITHDRAWN, 1)
	taken_back = Consents(db).of("HR-EMP-1")
	assert taken_back is not None
	assert taken_back.withdrawn_at == LATER
	assert not taken_back.holds
	with pytest.raises(StoreError):
		gallery.add([template(1)])
	# The old consent told again does not bring it back; a new one does.
	Consents(db).give([consent("HR-EMP-1")])
	with pytest.raises(StoreError):
		gallery.add([template(1)])
	Consents(db).give([consent("HR-EMP-1", days=2)])
	assert gallery.add([template(1)]) == 1


def test_withdrawing_is_recorded_where_nothing_was_kept(db: Database, gallery: Gallery) -> None:
	erasure = Erasures(db).withdraw("HR-EMP-1", by="hr", at=LATER)
	assert erasure is not None
	assert erasure.templates == 0
	assert Erasures(db).withdraw("HR-EMP-1", by="hr", at=LATER) is None
	assert Erasures(db).withdraw("nobody", by="hr", at=LATER) is None


def test_an_erasure_needs_no_key_and_a_lost_key_can_be_replaced(db: Database, gallery: Gallery) -> None:
	gallery.add([template(1), template(3, "HR-EMP-2")])
	assert Erasures(db).give_up(by="admin", at=LATER) == 2
	assert {each.reason for each in Erasures(db).records()} == {ErasureReason.KEY_LOST}
	assert open_gallery(db, GalleryKey.new()).add([template(1)]) == 1
