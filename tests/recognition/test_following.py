"""Motion, tracks, challenges, votes and decisions: what goes from frame to frame."""

from __future__ import annotations

import random
from uuid import UUID

import numpy as np
import pytest

from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.challenge import Challenge, ChallengeSettings, ChallengeState
from attendance_bridge.recognition.decision import Decision, DecisionSettings, Pauses, Verdict
from attendance_bridge.recognition.face import Face
from attendance_bridge.recognition.liveness import LivenessSettings, LivenessVote, softmax, surroundings
from attendance_bridge.recognition.matcher import Match
from attendance_bridge.recognition.motion import MotionGate, MotionSettings
from attendance_bridge.recognition.pack import LivenessSpec, known_manifests
from attendance_bridge.recognition.tracker import Tracker, TrackerSettings

# motion


def still(level: int = 90, noise: int = 4, seed: int = 0) -> np.ndarray:
	chance = np.random.default_rng(seed)
	return (level + chance.integers(0, noise, (480, 640, 3))).astype(np.uint8)


def settled_gate() -> MotionGate:
	gate = MotionGate(MotionSettings())
	for seed in range(10):
		gate.moved(still(seed=seed))
	return gate


def test_the_first_frame_is_looked_at_and_a_still_place_is_not() -> None:
	gate = MotionGate(MotionSettings())
	assert gate.moved(still())
	assert not any(gate.moved(still(seed=seed)) for seed in range(1, 50))


@pytest.mark.parametrize("side", [60, 200])
def test_somebody_comes(side: int) -> None:
	frame = still()
	frame[100 : 100 + side, 200 : 200 + side] = 160
	assert settled_gate().moved(frame)


def test_the_light_is_nobody() -> None:
	assert not settled_gate().moved(still(level=120))


def test_a_noisy_camera_is_nobody() -> None:
	gate = MotionGate(MotionSettings())
	moved = [gate.moved(still(noise=160, seed=seed)) for seed in range(40)]
	assert sum(moved[20:]) <= 1


def test_what_stays_becomes_the_background() -> None:
	gate, frame = settled_gate(), still()
	frame[100:200, 200:300] = 160
	moved = [gate.moved(frame) for _ in range(200)]
	assert moved[0]
	assert not moved[-1]


# tracks


def face(left: float, top: float = 0, side: float = 100) -> Face:
	box = np.array([left, top, left + side, top + side], np.float32)
	return Face(box=box, landmarks=np.zeros((5, 2), np.float32), score=1.0)


def test_a_face_that_moves_stays_on_its_track() -> None:
	tracker = Tracker(TrackerSettings())
	numbers = {tracker.update([face(25 * step)], step * 0.2)[0].number for step in range(10)}
	assert len(numbers) == 1
	assert tracker.alive[0].seen == 10


def test_two_who_stand_side_by_side_keep_their_tracks_in_any_order() -> None:
	tracker = Tracker(TrackerSettings())
	left, right = tracker.update([face(0), face(150)], 0)
	again = tracker.update([face(155), face(10)], 0.2)
	assert [track.number for track in again] == [right.number, left.number]


def test_a_new_face_far_away_is_a_new_track() -> None:
	tracker = Tracker(TrackerSettings())
	first = tracker.update([face(0)], 0)[0]
	assert tracker.update([face(400)], 0.2)[0].number != first.number


def test_a_track_ends_after_a_while_and_its_number_is_not_used_again() -> None:
	tracker = Tracker(TrackerSettings(patience_seconds=1))
	first = tracker.update([face(0)], 0)[0]
	assert tracker.update([], 0.9) == []
	assert tracker.update([face(0)], 1.0)[0] is first
	assert tracker.update([face(0)], 2.1)[0].number == first.number + 1


# decisions


def match(employee: str, cosine: float, second: float = 0.0) -> Match:
	return Match(employee=employee, template_id=UUID(int=1), cosine=cosine, second=second)


A, B = match("A", 0.6), match("B", 0.6)
WEAK, CLOSE = match("A", 0.49), match("A", 0.6, 0.58)
R, U, N = Verdict.RECOGNISED, Verdict.UNKNOWN, Verdict.UNDECIDED


@pytest.mark.parametrize(
	("probes", "verdict"),
	[
		([A, A], N),
		([A, A, A], R),
		([A, WEAK, A, None, A], R),
		([WEAK] * 6, U),
		([None] * 6, U),
		([CLOSE] * 6, U),  # too near to somebody else
		([A, A, B, B], N),  # two names: counted anew
		([A, A, B, B, B], R),
		([A, B] * 3, N),
		([A, B] * 9, U),
		([A, WEAK, WEAK, WEAK, WEAK, WEAK], N),
		([A, *[WEAK] * 17], U),
	],
)
def test_decision(probes: list[Match | None], verdict: Verdict) -> None:
	decision = Decision(DecisionSettings(), threshold=0.5)
	for number, probe in enumerate(probes):
		decision.add(probe, number * 0.2)
	assert decision.verdict is verdict
	if verdict is R:
		assert decision.match is not None
		assert decision.match.employee == probes[-1].employee  # type: ignore[union-attr]


def test_a_face_is_probed_a_few_times_and_then_seldom() -> None:
	decision = Decision(DecisionSettings(), threshold=0.5)
	probed = []
	for frame in range(300):  # ten seconds at thirty frames a second
		if decision.due(frame / 30):
			decision.add(A, frame / 30)
			probed.append(frame)
	assert probed == [0, 5, 10, 130, 250]


def test_another_face_on_the_same_track_is_decided_anew() -> None:
	decision = Decision(DecisionSettings(), threshold=0.5)
	for second in (0.0, 0.2, 0.4):
		decision.add(A, second)
	assert decision.add(WEAK, 4.4) is R  # once is a bad picture
	assert decision.due(4.6)
	assert decision.add(B, 4.6) is N
	for second in (4.8, 5.0, 5.2):
		decision.add(B, second)
	assert decision.match == B


def test_an_unknown_face_that_is_known_later() -> None:
	decision = Decision(DecisionSettings(), threshold=0.5)
	for number in range(6):
		decision.add(None, number * 0.2)
	seconds = [5.0, 5.2, 5.4, 5.6, 5.8]
	assert [decision.add(A, each) for each in seconds] == [U, N, N, N, R]


def test_a_person_is_told_once_until_the_pause_is_over() -> None:
	pauses = Pauses(60)
	assert [pauses.begin("A", second) for second in (0, 1, 59.9, 60, 61)] == [True, False, False, True, False]
	assert pauses.begin("B", 61)
	pauses.end("B")
	assert pauses.begin("B", 61)


# liveness


def test_frames_vote_together() -> None:
	vote = LivenessVote(LivenessSettings(least=0.6, frames=3))
	assert [vote.alive, vote.add(0.9), vote.alive, vote.add(0.9), vote.alive] == [None] * 5
	vote.add(0.1)
	assert vote.alive is True  # 1.9 / 3
	vote.add(0.1)
	assert vote.alive is False  # 1.1 / 3


def test_three_lucky_frames_are_not_enough_after_a_failure() -> None:
	vote = LivenessVote(LivenessSettings(least=0.6, frames=3))
	for _frame in range(3):
		vote.add(0.0)
	for _frame in range(8):
		vote.add(0.9)
		assert vote.alive is False
	vote.add(0.9)
	assert vote.alive is True  # 9 × 0.9 in the last twelve
	vote.start_anew()
	assert vote.alive is None


def test_that_it_has_failed_is_not_forgotten_with_the_frames() -> None:
	vote = LivenessVote(LivenessSettings(least=0.6, frames=3))
	for _frame in range(3):
		vote.add(0.0)
	vote.start_anew()
	for _frame in range(3):
		vote.add(1.0)
	assert vote.alive is False


def spec() -> LivenessSpec:
	found = known_manifests()["minifasnet"].liveness
	assert found is not None
	return found


@pytest.mark.parametrize(
	("left", "top", "side", "expected"),
	[
		# 2.7 times 100 around the middle (300, 250): 135 to each side.
		(250, 200, 100, (165, 115, 436, 386)),
		# Beyond the left and the upper edge: moved into the frame.
		(0, 0, 100, (0, 0, 271, 271)),
		# Beyond the right and the lower edge.
		(540, 380, 100, (369, 209, 640, 480)),
		# 2.7 times 300 is higher than the frame: 479 / 300 times.
		(100, 100, 300, (10, 0, 490, 480)),
	],
)
def test_surroundings(left: float, top: float, side: float, expected: tuple[int, ...]) -> None:
	assert surroundings(face(left, top, side), spec(), 640, 480) == expected


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (700, 500, 900, 900), (5, 5, 5, 5), (9, 9, 1, 1)])
def test_surroundings_are_in_the_frame_whatever_the_box(box: tuple[float, ...]) -> None:
	odd = Face(box=np.array(box, np.float32), landmarks=np.zeros((5, 2), np.float32), score=1)
	left, top, right, bottom = surroundings(odd, spec(), 640, 480)
	assert 0 <= left < right <= 640
	assert 0 <= top < bottom <= 480


def test_softmax() -> None:
	np.testing.assert_allclose(
		softmax(np.log([1, 2, 5]).astype(np.float32)), [1 / 8, 2 / 8, 5 / 8], rtol=1e-6
	)
	assert np.isfinite(softmax(np.array([1000, 0, -1000], np.float32))).all()


# challenges

AHEAD, TURN, PASSED = ChallengeState.LOOK_AHEAD, ChallengeState.TURN, ChallengeState.PASSED


@pytest.mark.parametrize(
	("seen", "state"),
	[
		([0.4, 0.3], AHEAD),
		([0.1], TURN),
		([0.1, 0.3, 0.55], PASSED),
		([0.1, 0.0, 0.3, 0.45, 0.49], TURN),
		([0.1, -0.3, -0.6], ChallengeState.WRONG_SIDE),
		([0.1, 0.6], ChallengeState.JUMPED),  # as when one picture is put in the place of another
		([0.6, 0.7], AHEAD),  # it begins with looking ahead
		([0.1, 0.3, None], ChallengeState.SOMEBODY_ELSE),
		([*[0.1] * 31, 0.3], ChallengeState.TOO_LATE),
		([0.1, 0.3, 0.55, None], PASSED),  # over is over
	],
)
@pytest.mark.parametrize("side", [Pose.LEFT, Pose.RIGHT])
def test_challenge(seen: list[float | None], state: ChallengeState, side: Pose) -> None:
	sign = 1 if side is Pose.LEFT else -1
	challenge = Challenge(side=side, deadline=6.0, settings=ChallengeSettings())
	for number, yaw in enumerate(seen):
		challenge = challenge.see(yaw=sign * (yaw or 0.0), same_person=yaw is not None, seconds=number * 0.2)
	assert challenge.state is state
	assert challenge.over is (state not in (AHEAD, TURN))


def test_the_side_is_drawn() -> None:
	chance = random.Random(1)
	drawn = [Challenge.begin(ChallengeSettings(), chance, 10.0) for _ in range(40)]
	assert {each.side for each in drawn} == {Pose.LEFT, Pose.RIGHT}
	assert {each.deadline for each in drawn} == {16.0}
