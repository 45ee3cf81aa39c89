"""Enrollments through the whole agent: its camera, its networks, its gallery; and through posted pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.entry import Enrollment, Refusal, RefusedError, Source, Start, as_json
from attendance_bridge.edge.enrollment.pictures import PictureError
from attendance_bridge.edge.enrollment.session import POSES, State
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import CameraState, verbs
from attendance_bridge.simulators.camera.face import Look
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.erasures import Erasures
from tests.edge.vision.rig import PATIENCE, Scene, Sight, configuration, eventually, portrait_of, seeing
from tests.enrollment.heads import cooperating
from tests.enrollment.office import drawn, jpeg, service


@pytest.fixture
def sight(tmp_path: Path, scene: Scene) -> Iterator[Sight]:
	"""An agent with nobody enrolled that has its list of people, and keeps pictures."""
	mapping = configuration(tmp_path, gallery={"keep_pictures": True})
	with seeing(mapping, enrolled={}) as running:
		eventually(lambda: running.agent.roster.people())
		yield running


def start(
	sight: Sight, employee: str = "HR-EMP-1", source: Source = Source.CAMERA, **more: object
) -> Enrollment:
	given = {
		"consent_sha256": service(sight).consent_text.sha256,
		"who": "hr",
		"address": "192.0.2.7",
		**more,
	}
	return service(sight).start(Start(employee=employee, source=source, **given))  # type: ignore[arg-type]


def acts(sight: Sight) -> list[str]:
	"""What the audit log says, the first first."""
	return [act.act for act in reversed(AuditLog(sight.agent.database).latest())]


def post_until_over(sight: Sight, entry: Enrollment, picture_of: Callable[[Pose], bytes]) -> None:
	"""What a browser does: picture after picture of the pose that is asked for."""
	pictures = {pose: picture_of(pose) for pose in POSES}
	deadline = time.monotonic() + PATIENCE
	while not entry.session.over and time.monotonic() < deadline:
		pose = entry.session.pose
		assert pose is not None
		service(sight).take_picture(entry.id, pictures[pose], Source.BROWSER)
		time.sleep(0.15)


# before the agent's camera


def test_a_person_is_enrolled_before_the_camera_and_known_at_once(sight: Sight, scene: Scene) -> None:
	visitor = verbs.come(scene.state, 1, scale=1.9)
	entry = start(sight)
	with cooperating(scene.state, visitor, lambda: None if entry.session.over else entry.session.pose):
		eventually(lambda: entry.session.over, lambda: "an end")
	assert entry.session.state is State.SUBMITTED
	templates = sight.vision.gallery.by_employee("HR-EMP-1")
	assert [each.pose for each in sorted(templates, key=lambda each: each.captured_at)] == list(POSES)
	assert {each.model for each in templates} == {sight.vision.engine.model}
	assert {each.captured_by for each in templates} == {"edge agent, hr"}
	consent = sight.consents.of("HR-EMP-1")
	assert consent is not None
	assert consent.text_sha256 == service(sight).consent_text.sha256
	pictures = [sight.vision.gallery.picture(each.template_id) for each in templates]
	assert all(picture is not None and picture.startswith(b"\xff\xd8") for picture in pictures)
	assert acts(sight) == ["enrollment_begun", "enrolled"]
	told = [event.facts["progress"] for event in sight.events(EventType.ENROLLMENT)]
	assert told == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1])
	# The person who goes and comes back punches.
	verbs.go(scene.state, scene.state.visitors[0])
	verbs.come(scene.state, 1, at=scene.state.clock() + 3, scale=1.6)
	assert sight.wait_for(EventType.PUNCH).facts["employee"] == "HR-EMP-1"


def test_meanwhile_nobody_punches(sight: Sight, scene: Scene) -> None:
	sight.enrol("HR-EMP-2", 2)
	entry = start(sight)
	eventually(lambda: sight.vision.kiosk.is_enrolling)
	verbs.come(scene.state, 2, scale=1.9)
	eventually(lambda: entry.session.over)
	assert (entry.session.state, entry.session.owner) == (State.TAKEN, "HR-EMP-2")
	assert sight.held() == []
	assert sight.vision.gallery.by_employee("HR-EMP-1") == []
	eventually(lambda: acts(sight) == ["enrollment_begun", "enrollment_taken"])


def test_one_at_a_time_before_the_camera(sight: Sight) -> None:
	entry = start(sight)
	with pytest.raises(RefusedError) as raised:
		start(sight, "HR-EMP-2")
	assert raised.value.refusal is Refusal.CAMERA_TAKEN
	service(sight).cancel(entry.id)
	assert start(sight, "HR-EMP-2").session.state is State.CAPTURING
	assert acts(sight) == ["enrollment_begun", "enrollment_cancelled", "enrollment_begun"]


def test_it_ends_by_itself_when_nobody_comes(tmp_path: Path, scene: Scene) -> None:
	mapping = configuration(tmp_path, enrollment={"idle_seconds": 3.0})
	with seeing(mapping, enrolled={}) as sight:
		eventually(lambda: sight.agent.roster.people())
		entry = start(sight)
		eventually(lambda: entry.session.over)
		assert entry.session.state is State.TOO_LATE
		eventually(lambda: not sight.vision.kiosk.is_enrolling)
		eventually(lambda: acts(sight) == ["enrollment_begun", "enrollment_too_late"])


# from a browser


def test_a_browser_enrols_with_pictures(sight: Sight) -> None:
	entry = start(sight, source=Source.BROWSER)
	post_until_over(sight, entry, lambda pose: drawn(1, pose))
	assert entry.session.state is State.SUBMITTED
	assert len(sight.vision.gallery.by_employee("HR-EMP-1")) == 5


def test_several_browsers_at_a_time(sight: Sight) -> None:
	first = start(sight, source=Source.BROWSER)
	second = start(sight, "HR-EMP-2", source=Source.BROWSER)
	post_until_over(sight, first, lambda pose: drawn(1, pose))
	post_until_over(sight, second, lambda pose: drawn(2, pose))
	assert {first.session.state, second.session.state} == {State.SUBMITTED}
	assert service(sight).templates() == {"HR-EMP-1": 5, "HR-EMP-2": 5}


def test_somebody_else_in_the_middle_is_not_captured(sight: Sight) -> None:
	entry = start(sight, source=Source.BROWSER)
	while entry.session.pose is Pose.FRONT and not entry.session.over:
		service(sight).take_picture(entry.id, drawn(1), Source.BROWSER)
		time.sleep(0.15)
	for _ in range(4):
		service(sight).take_picture(entry.id, drawn(5, Pose.LEFT), Source.BROWSER)
		time.sleep(0.21)
	view = as_json(entry)
	assert (view["pose"], view["progress"], view["advice"]) == ("left", 0.2, ["other_person"])


def test_a_second_enrollment_replaces_the_first(sight: Sight) -> None:
	post_until_over(sight, start(sight, source=Source.BROWSER), lambda pose: drawn(1, pose))
	former = {each.template_id for each in sight.vision.gallery.by_employee("HR-EMP-1")}
	post_until_over(sight, start(sight, source=Source.BROWSER), lambda pose: drawn(1, pose))
	assert former.isdisjoint(each.template_id for each in sight.vision.gallery.by_employee("HR-EMP-1"))
	assert service(sight).templates() == {"HR-EMP-1": 5}
	(record,) = Erasures(sight.agent.database).records()
	assert (record.templates, record.pictures, record.reason) == (5, 5, ErasureReason.REPLACED)


def test_former_templates_may_stay(sight: Sight) -> None:
	for keeps in (True, False):
		entry = start(sight, source=Source.PHOTO, replace=keeps)
		service(sight).take_picture(entry.id, drawn(1), Source.PHOTO)
	assert service(sight).templates() == {"HR-EMP-1": 2}


# one photo


def test_one_photo_makes_one_template(sight: Sight) -> None:
	entry = start(sight, source=Source.PHOTO)
	service(sight).take_picture(entry.id, jpeg(portrait_of(1)), Source.PHOTO)
	assert (entry.session.state, entry.session.progress) == (State.SUBMITTED, 1)
	(template,) = sight.vision.gallery.by_employee("HR-EMP-1")
	assert template.pose is Pose.FRONT
	assert template.captured_by == "edge agent, hr (photo)"


@pytest.mark.parametrize(
	("look", "scale", "advice"),
	[
		(Look(yaw=0.5), 2.0, "look_ahead"),
		(Look(roll=20), 2.0, "hold_upright"),
		(Look(), 1.4, "too_far"),
	],
)
def test_a_photo_that_does_not_do_can_be_followed_by_another(
	sight: Sight, look: Look, scale: float, advice: str
) -> None:
	state = CameraState()
	verbs.turn(state, verbs.come(state, 1, at=-10.0, scale=scale), look, at=-10.0)
	entry = start(sight, source=Source.PHOTO)
	service(sight).take_picture(entry.id, jpeg(state.frame(0)), Source.PHOTO)
	assert as_json(entry)["advice"][0] == advice
	assert entry.session.state is State.CAPTURING
	service(sight).take_picture(entry.id, drawn(1), Source.PHOTO)
	assert entry.session.state is State.SUBMITTED


def test_a_photo_of_two_people_does_not_do(sight: Sight) -> None:
	state = CameraState()
	for face, place in ((1, 0.28), (2, 0.72)):
		verbs.come(state, face, at=-10.0, scale=1.8, place=place)
	entry = start(sight, source=Source.PHOTO)
	service(sight).take_picture(entry.id, jpeg(state.frame(0)), Source.PHOTO)
	assert as_json(entry)["advice"] == ["several_faces"]


# whose face it is


def test_a_face_of_somebody_else_is_caught_and_people_decide(sight: Sight) -> None:
	sight.enrol("HR-EMP-2", 1)
	sight.vision.refresh()
	caught = start(sight, source=Source.PHOTO)
	service(sight).take_picture(caught.id, drawn(1), Source.PHOTO)
	view = as_json(caught)
	assert (view["state"], view["owner"], view["over"]) == ("taken", "HR-EMP-2", True)
	assert sight.vision.gallery.by_employee("HR-EMP-1") == []
	decided = start(sight, source=Source.PHOTO, accepted=("HR-EMP-2",))
	service(sight).take_picture(decided.id, drawn(1), Source.PHOTO)
	assert decided.session.state is State.SUBMITTED
	begun = AuditLog(sight.agent.database).latest()[1]
	assert begun.details.endswith("though like HR-EMP-2")


def test_it_is_caught_behind_ones_own_templates_too(sight: Sight) -> None:
	"""Whoever is enrolled under two names matches their own best."""
	for employee in ("HR-EMP-1", "HR-EMP-2"):
		sight.enrol(employee, 1)
	sight.vision.refresh()
	entry = start(sight, source=Source.PHOTO)
	service(sight).take_picture(entry.id, drawn(1), Source.PHOTO)
	assert (entry.session.state, entry.session.owner) == (State.TAKEN, "HR-EMP-2")


# what is refused


@pytest.mark.parametrize(
	("given", "refusal"),
	[
		({"employee": "HR-EMP-404"}, Refusal.NO_SUCH_PERSON),
		({"consent_sha256": ""}, Refusal.CONSENT_MISSING),
		({"consent_sha256": "ab" * 32}, Refusal.CONSENT_CHANGED),
	],
)
def test_what_is_refused(sight: Sight, given: dict[str, str], refusal: Refusal) -> None:
	with pytest.raises(RefusedError) as raised:
		start(sight, **given)  # type: ignore[arg-type]
	assert raised.value.refusal is refusal
	assert acts(sight) == []


def test_nobody_is_enrolled_twice_at_the_same_time(sight: Sight) -> None:
	start(sight, source=Source.BROWSER)
	with pytest.raises(RefusedError) as raised:
		start(sight, source=Source.PHOTO)
	assert raised.value.refusal is Refusal.PERSON_TAKEN


def test_pictures_come_from_where_it_was_begun(sight: Sight) -> None:
	entry = start(sight, source=Source.BROWSER)
	with pytest.raises(RefusedError) as raised:
		service(sight).take_picture(entry.id, drawn(1), Source.PHOTO)
	assert raised.value.refusal is Refusal.OTHER_SOURCE
	with pytest.raises(RefusedError) as raised:
		service(sight).take_picture("0" * 32, drawn(1), Source.BROWSER)
	assert raised.value.refusal is Refusal.NO_SUCH_ENROLLMENT


def test_what_is_no_picture_changes_nothing(sight: Sight) -> None:
	entry = start(sight, source=Source.BROWSER)
	with pytest.raises(PictureError):
		service(sight).take_picture(entry.id, b"<html>", Source.BROWSER)
	assert (entry.version, entry.session.state) == (0, State.CAPTURING)


def test_where_the_law_allows_it_no_consent_is_needed(tmp_path: Path, scene: Scene) -> None:
	mapping = configuration(tmp_path, gallery={"consent_required": False})
	with seeing(mapping, enrolled={}) as sight:
		eventually(lambda: sight.agent.roster.people())
		entry = start(sight, source=Source.PHOTO, consent_sha256="")
		service(sight).take_picture(entry.id, drawn(1), Source.PHOTO)
		assert entry.session.state is State.SUBMITTED
		assert sight.consents.of("HR-EMP-1") is None
