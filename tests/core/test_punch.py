from __future__ import annotations

import uuid
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.punch import PUNCH_NAMESPACE, Punch, identify_punch

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")
ids = st.text(min_size=1, max_size=64)
moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)).map(
	lambda moment: moment.replace(microsecond=0)
)


def punch(**changes: object) -> Punch:
	values: dict[str, object] = {
		"device_serial": "DS1",
		"device_user_id": "7",
		"occurred_at": datetime(2026, 3, 1, 8, 0, tzinfo=DUBAI),
	}
	return Punch(**{**values, **changes})  # type: ignore[arg-type]


def test_the_identity_is_fixed_for_ever() -> None:
	# Written down once; if this fails, every punch in every store would be doubled by the new version.
	assert str(punch().punch_id) == "4f6a4135-e6d0-5b93-9ea9-8018ed4efbd5"


def test_a_corrected_time_zone_keeps_the_identity() -> None:
	elsewhere = punch(occurred_at=datetime(2026, 3, 1, 8, 0, tzinfo=BERLIN))
	assert elsewhere.occurred_utc != punch().occurred_utc
	assert elsewhere.punch_id == punch().punch_id


def test_what_is_inferred_or_per_road_is_no_part_of_the_identity() -> None:
	assert punch(raw='{"serialNo": 4}').punch_id == punch(raw="00ff").punch_id


@pytest.mark.parametrize(
	("one", "other"),
	[
		({"device_user_id": "7"}, {"device_user_id": "007"}),
		({"device_user_id": "a"}, {"device_user_id": "A"}),
		({"device_user_id": "é"}, {"device_user_id": "e\u0301"}),
		({"device_serial": "DS1", "device_user_id": "12"}, {"device_serial": "DS11", "device_user_id": "2"}),
		({"device_user_id": "7"}, {"device_user_id": "7 "}),
	],
)
def test_ids_are_compared_byte_for_byte(one: dict[str, object], other: dict[str, object]) -> None:
	assert punch(**one).punch_id != punch(**other).punch_id


def test_the_two_passes_of_the_repeated_hour_are_two_punches() -> None:
	first = punch(occurred_at=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN))
	second = punch(occurred_at=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1))
	assert first.punch_id != second.punch_id
	assert first.wall_time == second.wall_time == datetime(2026, 10, 25, 2, 30)
	assert (second.occurred_utc - first.occurred_utc).total_seconds() == 3600


@given(ids, ids, ids, ids, moments)
def test_no_two_spellings_collide(s1: str, u1: str, s2: str, u2: str, moment: datetime) -> None:
	same = (s1, u1) == (s2, u2)
	wall_time = moment.isoformat()
	assert (identify_punch(s1, u1, wall_time, 0) == identify_punch(s2, u2, wall_time, 0)) is same


@given(ids, ids, moments, st.sampled_from([0, 1]))
def test_the_identity_is_a_uuid5(serial: str, user: str, moment: datetime, fold: int) -> None:
	made = uuid.UUID(bytes=identify_punch(serial, user, moment.isoformat(), fold))
	name = f"{len(serial)}:{serial}{len(user)}:{user}{moment.isoformat()}/{fold}"
	assert made == uuid.uuid5(PUNCH_NAMESPACE, name)


@pytest.mark.parametrize(
	"changes",
	[
		{"device_serial": ""},
		{"device_serial": "x" * 65},
		{"device_user_id": ""},
		{"device_user_id": "x" * 65},
		{"occurred_at": datetime(2026, 3, 1, 8, 0)},
		{"occurred_at": datetime(1, 1, 1, 2, 0, tzinfo=DUBAI)},
		{"occurred_at": datetime(9999, 12, 31, 23, 0, tzinfo=BERLIN)},
		{"occurred_at": datetime(2026, 3, 1, 8, 0, 0, 5, tzinfo=timezone.utc)},
	],
)
def test_what_cannot_be_a_punch_is_refused(changes: dict[str, object]) -> None:
	with pytest.raises(ValueError, match=r"device_|occurred_at"):
		punch(**changes)
