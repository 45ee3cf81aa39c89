"""Stand-ins: the shape stays, the text does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.pseudonyms import Pseudonyms

KEY = b"k" * 32
BYTES = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))
TEXTS = st.one_of(st.text(max_size=40), BYTES)


def encoded(text: str) -> bytes:
	return text.encode("utf-8", "surrogateescape")


@given(TEXTS.filter(lambda text: not any(0xD800 <= ord(letter) < 0xDC80 for letter in text)))
def test_length_and_spaces_stay(text: str) -> None:
	told = Pseudonyms(KEY).of(text)
	assert (len(told), len(encoded(told))) == (len(text), len(encoded(text)))
	assert [letter.isspace() for letter in told] == [letter.isspace() for letter in text]


@given(st.text(alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=30))
def test_classes_of_ascii_stay(text: str) -> None:
	told = Pseudonyms(KEY).of(text)
	for before, after in zip(text, told, strict=True):
		assert unicodedata.category(before) == unicodedata.category(after)


@given(st.binary(max_size=24))
def test_what_is_no_utf_8_stays_none_and_the_other_way_round(data: bytes) -> None:
	told = encoded(Pseudonyms(KEY).of(data.decode("utf-8", "surrogateescape")))
	assert is_utf_8(told) == is_utf_8(data)


def is_utf_8(data: bytes) -> bool:
	try:
		data.decode()
	except UnicodeDecodeError:
		return False
	return True


@given(st.lists(st.text(min_size=1, max_size=6, alphabet="0123456789ab"), unique=True, max_size=200))
def test_two_people_stay_two_and_one_stays_one(ids: list[str]) -> None:
	names = Pseudonyms(KEY)
	told = [names.of(one) for one in ids]
	assert len(set(told)) == len(set(ids))
	assert [names.of(one) for one in ids] == told


def test_all_numbers_of_one_digit() -> None:
	names = Pseudonyms(KEY)
	assert sorted(names.of(str(number)) for number in range(1, 10)) == [str(n) for n in range(1, 10)]


@pytest.mark.parametrize("text", ["7", "07", "007", "0000000007"])
def test_leading_zeros_stay_and_mean_what_they_meant(text: str) -> None:
	names = Pseudonyms(KEY)
	assert names.of(text) == text[:-1] + str(names.number(7, bits=16))


def test_zero_is_nobody() -> None:
	names = Pseudonyms(KEY)
	assert (names.of("0"), names.of("000"), names.of(""), names.number(0, bits=32)) == ("0", "000", "", 0)


@given(st.integers(min_value=1, max_value=2**32 - 1))
def test_a_number_keeps_its_digits_and_its_room(number: int) -> None:
	told = Pseudonyms(KEY).number(number, bits=32)
	assert len(str(told)) == len(str(number))
	assert told < 2**32


def test_nobody_is_their_own_stand_in_while_another_is_free() -> None:
	names = Pseudonyms(KEY)
	ids = [str(number) for number in range(100, 1000)]
	told = {one: names.of(one) for one in ids}
	assert sorted(told.values()) == ids
	assert sum(one == other for one, other in told.items()) <= 1


def test_a_long_text_without_letters_takes_no_time() -> None:
	text = "." * 300_000
	assert Pseudonyms(KEY).of(text) == text


def test_a_mac_address_stays_one() -> None:
	told = Pseudonyms(KEY).of("00:17:61:AB:cd:0F")
	assert [len(part) for part in told.split(":")] == [2] * 6
	assert bytes.fromhex(told.replace(":", ""))
	assert told != "00:17:61:AB:cd:0F"


def test_originals_do_not_come_up_as_stand_ins_of_others() -> None:
	ids = [f"{number:04d}" for number in range(1000, 4000)]
	first = Pseudonyms(KEY)
	for one in ids:
		first.of(one)
	names = Pseudonyms(KEY, avoid=first.originals())
	assert not {names.of(one) for one in ids[:500]} & set(ids)


def test_another_key_another_stand_in() -> None:
	assert Pseudonyms(KEY).of("Quillfeather") != Pseudonyms(b"j" * 32).of("Quillfeather")


@given(st.binary(max_size=60))
def test_scrambled_bytes_keep_their_zeros(data: bytes) -> None:
	told = Pseudonyms(KEY).scramble(data)
	assert [byte == 0 for byte in told] == [byte == 0 for byte in data]


def test_it_does_not_show_what_it_knows() -> None:
	names = Pseudonyms(KEY)
	names.of("Quillfeather")
	assert "Quillfeather" not in repr(names)
