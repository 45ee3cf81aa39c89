"""An enrollment as a state machine, picture by picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

pytest.importorskip("numpy", reason="recognition needs the extra `recognition`")

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.advice import Advice, Observation
from attendance_bridge.edge.enrollment.session import POSES, Session, State
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from tests.enrollment.seen import EMPLOYEE, NOW, at_angle, consent, nobody, quality, seen

STEP = 0.2
"""Seconds between two pictures: three in a row take 0.4, which is enough."""
THRESHOLD = 0.5
"""One person's shots must reach 0.75 × 0.5 = 0.375 among themselves: the cosine of 67.98°."""
SETTINGS = EnrollmentSettings(ready_seconds=0.0)
FRONT, LEFT, RIGHT, UP, DOWN = Pose


def begun(**changes: object) -> Session:
	"""Of somebody who has agreed."""
	session = Session(employee=EMPLOYEE, settings=SETTINGS, threshold=THRESHOLD, began=0.0)
	return replace(session.agree(consent(), 0.0), **changes)  # type: ignore[arg-type]


def see(session: Session, pictures: Iterable[Observation]) -> Session:
	for picture in pictures:
		session = session.see(picture)
	return session


def good(pose: Pose, since: float, count: int = 3, *, angle: float = 0, owner: str = "") -> list[Observation]:
	return [seen(pose, since + STEP * place, angle=angle, owner=owner) for place in range(count)]


def through(poses: Iterable[Pose], session: Session | None = None) -> Session:
	session = session or begun()
	for pose in poses:
		session = see(session, good(pose, len(session.shots)))
	return session


# consent


def test_without_consent_nothing_is_captured() -> None:
	session = Session(employee=EMPLOYEE, settings=SETTINGS, threshold=THRESHOLD, began=0.0)
	after = see(session, good(FRONT, 0.0, 20))
	assert after is session
	assert (after.state, after.shots, after.run, after.before) == (State.CONSENT, (), (), None)


@pytest.mark.parametrize("given", [consent("HR-EMP-2"), consent(withdrawn=NOW)], ids=["other", "withdrawn"])
def test_a_consent_must_be_ones_own_and_hold(given: object) -> None:
	session = Session(employee=EMPLOYEE, settings=SETTINGS, threshold=THRESHOLD, began=0.0)
	with pytest.raises(ValueError, match="consent"):
		session.agree(given, 0.0)  # type: ignore[arg-type]


def test_waiting_for_consent_ends_too() -> None:
	session = Session(employee=EMPLOYEE, settings=SETTINGS, threshold=THRESHOLD, began=0.0)
	assert session.at(120.0).state is State.CONSENT
	assert session.at(120.1).state is State.TOO_LATE
	assert session.at(120.1).agree(consent(), 121.0).state is State.TOO_LATE


# capturing


def test_five_poses_in_their_order_make_an_enrollment() -> None:
	session = begun()
	assert (session.state, session.pose, session.progress) == (State.CAPTURING, FRONT, 0)
	for place, pose in enumerate(POSES, 1):
		session = see(session, good(pose, float(place)))
		assert session.progress == pytest.approx(place / 5)
		assert session.pose is (POSES[place] if place < 5 else None)
	assert session.state is State.COMPLETE
	assert [shot.pose for shot in session.shots] == list(POSES)
	assert session.consent == consent()


def test_a_pose_needs_several_good_pictures_in_a_row() -> None:
	session = begun()
	for count, held in enumerate((1 / 3, 2 / 3)):
		session = session.see(seen(FRONT, STEP * count))
		assert (session.progress, session.held, session.advice) == (0, pytest.approx(held), ())
	session = session.see(nobody(0.4))
	assert (session.held, session.advice) == (0, (Advice.NO_FACE,))
	assert see(session, good(FRONT, 0.6, 2)).progress == 0
	assert see(session, good(FRONT, 0.6, 3)).progress == 0.2


def test_a_pose_must_be_held_for_a_while() -> None:
	# At 20 pictures a second, the ninth is the first that is 0.4 s after the first.
	quick = [seen(FRONT, 0.05 * place) for place in range(9)]
	assert see(begun(), quick[:8]).progress == 0
	assert see(begun(), quick).progress == 0.2


def test_at_the_beginning_people_get_ready() -> None:
	session = see(begun(settings=EnrollmentSettings()), good(FRONT, 0.0, 5))
	assert (session.advice, session.held) == ((Advice.LOOK_AHEAD,), 0)
	assert see(session, good(FRONT, 1.0, 3)).progress == 0.2


def test_the_wrong_pose_captures_nothing() -> None:
	session = through([FRONT])
	after = see(session, good(RIGHT, 5.0, 10))
	assert (after.pose, after.advice) == (LEFT, (Advice.TURN_LEFT,))
	assert after.shots == session.shots


def test_the_best_of_a_run_is_kept() -> None:
	pictures = [seen(FRONT, STEP * place, sharpness=sharp) for place, sharp in enumerate((75, 105, 90))]
	(shot,) = see(begun(), pictures).shots
	assert shot.taken_at == pictures[1].taken_at
	assert shot.quality == pytest.approx(105 / 150)  # 150 is as sharp as counts; all else is better
	assert shot.embedding is pictures[1].embedding


def test_pictures_after_the_last_pose_change_nothing() -> None:
	session = through(POSES)
	assert session.see(seen(FRONT, 99.0)) is session


# one and the same person


@pytest.mark.parametrize(("angle", "same"), [(60, True), (67, True), (69, False), (90, False), (180, False)])
def test_a_shot_must_be_like_the_first(angle: float, same: bool) -> None:
	after = see(through([FRONT]), good(LEFT, 1.0, angle=angle))
	assert after.progress == (0.4 if same else 0.2)
	assert after.advice == (() if same else (Advice.OTHER_PERSON,))


def test_a_shot_must_be_like_all_before_taken_together() -> None:
	# Front at 0°, left at 60°: their middle is at 30°. What is 60° off on the other side is 90° off that.
	session = see(through([FRONT]), good(LEFT, 1.0, angle=60))
	assert see(session, good(RIGHT, 2.0, angle=-60)).advice == (Advice.OTHER_PERSON,)
	assert see(session, good(RIGHT, 2.0, angle=-37)).progress == pytest.approx(0.6)


def test_two_people_cannot_share_a_run() -> None:
	swapped = [seen(FRONT, 0.0), seen(FRONT, 0.2, angle=90), seen(FRONT, 0.4)]
	after = see(begun(), swapped)
	assert after.progress == 0
	assert after.advice == ()
	assert after.held == pytest.approx(1 / 3)


# somebody else's face


def test_a_face_of_somebody_else_ends_it() -> None:
	after = see(begun(), good(FRONT, 0.0, owner="HR-EMP-9"))
	assert (after.state, after.owner, after.over) == (State.TAKEN, "HR-EMP-9", True)


@pytest.mark.parametrize(
	("owners", "state"),
	[
		(("A", "", ""), State.CAPTURING),  # one of three is a slip
		(("A", "A", ""), State.TAKEN),
		(("A", "B", ""), State.TAKEN),
	],
)
def test_most_pictures_of_a_run_must_say_so(owners: tuple[str, ...], state: State) -> None:
	pictures = [seen(FRONT, STEP * place, owner=owner) for place, owner in enumerate(owners)]
	assert see(begun(), pictures).state is state


def test_it_is_found_in_any_pose() -> None:
	after = see(through([FRONT, LEFT]), good(RIGHT, 3.0, owner="HR-EMP-9"))
	assert (after.state, after.owner) == (State.TAKEN, "HR-EMP-9")


def test_somebody_may_be_known_to_look_alike() -> None:
	session = begun(accepted=frozenset({"HR-EMP-9"}))
	assert see(session, good(FRONT, 0.0, owner="HR-EMP-9")).progress == 0.2
	assert see(session, good(FRONT, 0.0, owner="HR-EMP-8")).state is State.TAKEN


# ends


def test_it_ends_when_nobody_is_seen() -> None:
	assert begun().at(30.0).state is State.CAPTURING
	assert begun().at(30.1).state is State.TOO_LATE
	seen_at_20 = begun().see(seen(FRONT, 20.0))
	assert seen_at_20.see(nobody(50.0)).state is State.CAPTURING
	assert seen_at_20.see(nobody(50.1)).state is State.TOO_LATE


def test_it_ends_when_it_takes_too_long() -> None:
	session = begun()
	for second in range(0, 121, 10):
		session = session.see(replace(seen(FRONT, float(second)), quality=quality(sharpness=1)))
		assert session.state is State.CAPTURING
	assert session.see(seen(FRONT, 120.5)).state is State.TOO_LATE


def test_of_what_has_ended_nothing_of_the_face_is_held() -> None:
	session = through([FRONT, LEFT]).see(seen(RIGHT, 5.0)).cancel()
	assert (session.state, session.progress) == (State.CANCELLED, 0.4)
	assert all(shot.embedding.size == 0 and shot.crop is None for shot in session.shots)
	assert (session.run, session.before) == ((), None)
	assert session.see(seen(RIGHT, 6.0)) is session
	assert session.cancel() is session
	assert session.at(999.0) is session


def test_nothing_of_a_face_is_in_a_repr() -> None:
	session = through([FRONT, LEFT], begun()).see(seen(RIGHT, 5.0))
	assert "array" not in repr(session)
	assert "array" not in repr(session.shots[0])


def test_what_is_complete_does_not_run_out() -> None:
	session = through(POSES)
	assert session.at(9999.0) is session
	assert all((shot.embedding == at_angle(0)).all() for shot in session.shots)
	assert session.end(State.SUBMITTED).over
