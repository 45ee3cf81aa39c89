"""The enrollment page in a real browser, before a whole agent that sees drawn faces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.pictures import MAX_PHOTO_BYTES
from attendance_bridge.edge.enrollment.session import POSES, State
from attendance_bridge.simulators.camera import CameraState, verbs
from tests.edge.vision.rig import Scene, Sight, eventually
from tests.edge.web.conftest import CHROMIUM, FLAGS, keep_picture
from tests.enrollment.heads import LOOKS, cooperating
from tests.enrollment.office import PASSWORD, address, drawn, office, service, wanted_pose

Open = Callable[..., Any]
SIZES = {"800x480": (800, 480), "1024x600": (1024, 600), "1280x800": (1280, 800), "phone": (390, 844)}
LONGEST_SECONDS = 30.0
A_TURN_MS = 30_000

WHAT_IS_CUT_OFF = """
() => [...document.querySelector(".step:not([hidden])")
	.querySelectorAll("h1, button, input, label, .round, #pose, #advice, #poses")]
	.filter((node) => node.getClientRects().length && !node.closest("#people, #initials"))
	.filter((node) => {
		const { left, top, right, bottom } = node.getBoundingClientRect();
		return left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5;
	})
	.map((node) => node.id || node.className || node.tagName)
"""
IS_SCROLLED = """
() => [[...document.querySelectorAll("html, body, main")]
	.some((node) => node.scrollHeight > node.clientHeight + 1 || node.scrollWidth > node.clientWidth + 1)][0]
"""
RING = '() => Number(getComputedStyle(document.querySelector("#ring")).strokeDashoffset.replace("px", ""))'


@contextmanager
def somebody(sight: Sight, scene: Scene, face: int = 1) -> Iterator[None]:
	"""Somebody stands before the agent's camera and does what they are told."""
	visitor = verbs.come(scene.state, face, at=scene.state.clock() - 5, scale=1.9)
	with cooperating(scene.state, visitor, lambda: wanted_pose(sight)):
		yield


def enter(page: Any, sight: Sight, name: str = "hr") -> None:
	page.goto(f"{address(sight)}/enroll")
	page.fill("input[name=name]", name)
	page.fill("input[name=password]", PASSWORD)
	page.click("button.main")


def choose(page: Any, name: str = "First Person") -> None:
	page.fill("#search", name.lower())
	page.wait_for_function("() => document.querySelectorAll('#people li').length === 1")
	page.click("#people button")
	assert page.is_disabled("#by-photo")
	page.check("#agreed")


def fits(page: Any) -> None:
	assert page.evaluate(WHAT_IS_CUT_OFF) == []
	assert not page.evaluate(IS_SCROLLED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_person_is_enrolled_in_one_go(
	tmp_path: Path, scene: Scene, open_page: Open, size: str, scheme: str
) -> None:
	with office(tmp_path) as sight, somebody(sight, scene):
		page = open_page(*SIZES[size], color_scheme=scheme)
		enter(page, sight)
		page.wait_for_selector("#people button")
		fits(page)
		keep_picture(page, f"enrollment-choose-{size}-{scheme}")
		choose(page)
		fits(page)
		keep_picture(page, f"enrollment-agree-{size}-{scheme}")
		began = time.monotonic()
		page.click("#by-camera")
		page.wait_for_selector("#poses li.done", timeout=A_TURN_MS)
		page.wait_for_timeout(600)
		fits(page)
		captured = page.locator("#poses li.done").count()
		assert page.evaluate(RING) == pytest.approx(100 - 20 * captured, abs=0.1)
		keep_picture(page, f"enrollment-capture-{size}-{scheme}")
		page.wait_for_selector("#end.well:not([hidden])", timeout=A_TURN_MS)
		took = time.monotonic() - began
		assert took < LONGEST_SECONDS
		assert page.inner_text("#end-title") == "First Person is enrolled"
		fits(page)
		keep_picture(page, f"enrollment-end-{size}-{scheme}")
		assert service(sight).templates() == {"HR-EMP-1": 5}
		page.keyboard.press("Enter")  # one tap to the next person
		page.wait_for_selector("#people .badge")
		assert page.locator("#people .badge").count() == 1


def test_a_browser_with_a_camera_of_its_own(tmp_path: Path, scene: Scene, chromium: Any) -> None:
	film = tmp_path / "head.mjpeg"
	write_film(film)
	flags = [
		*FLAGS,
		"--use-fake-device-for-media-stream",
		"--use-fake-ui-for-media-stream",
		f"--use-file-for-fake-video-capture={film}",
	]
	browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=flags)
	try:
		with office(tmp_path) as sight:
			page = browser.new_page(viewport={"width": 390, "height": 844})
			page.set_default_timeout(A_TURN_MS)
			enter(page, sight)
			choose(page)
			began = time.monotonic()
			page.click("#by-browser")
			page.wait_for_selector("#poses li.done >> nth=1")
			page.wait_for_timeout(600)
			keep_picture(page, "enrollment-own-camera")
			page.wait_for_selector("#end.well:not([hidden])")
			assert time.monotonic() - began < LONGEST_SECONDS
			assert service(sight).templates() == {"HR-EMP-1": 5}
			# The camera is let go of.
			assert page.evaluate("() => document.querySelector('#own').srcObject") is None
	finally:
		browser.close()


def write_film(path: Path) -> None:
	"""Somebody who goes through the poses, three seconds each; Chromium shows it at 30 pictures a second."""
	state = CameraState(fps=30)
	visitor = verbs.come(state, 1, at=-5.0, scale=2.0)
	for place, pose in enumerate(POSES):
		visitor = verbs.turn(state, visitor, LOOKS[pose], at=3.0 * place, seconds=3.0)
	with path.open("wb") as film:
		for number in range(3 * 30 * len(POSES)):
			film.write(bytes(cv2.imencode(".jpg", state.frame(number))[1]))


def test_a_face_of_somebody_else_is_told_and_people_decide(
	tmp_path: Path, scene: Scene, open_page: Open
) -> None:
	with office(tmp_path, enrolled={"HR-EMP-2": [1]}) as sight, somebody(sight, scene):
		page = open_page(800, 480)
		enter(page, sight)
		choose(page)
		page.click("#by-camera")
		page.wait_for_selector("#end.badly:not([hidden])")
		assert "HR-EMP-2" in page.inner_text("#end-text")
		fits(page)
		keep_picture(page, "enrollment-taken")
		assert service(sight).templates() == {"HR-EMP-2": 1}
		page.click("#anyway")
		page.wait_for_selector("#end.well:not([hidden])", timeout=A_TURN_MS)
		assert service(sight).templates() == {"HR-EMP-1": 5, "HR-EMP-2": 1}


def test_a_photo_is_refused_with_reasons_and_another_taken(
	tmp_path: Path, scene: Scene, open_page: Open
) -> None:
	with office(tmp_path) as sight:
		page = open_page(1024, 600)
		enter(page, sight)
		choose(page)
		photo = {"name": "p.jpg", "mimeType": "image/jpeg"}
		page.set_input_files("#file", {**photo, "buffer": drawn(1, Pose.LEFT)})
		page.wait_for_selector("#end.badly:not([hidden])")
		assert page.locator("#end-list li").all_inner_texts() == ["The person does not look straight ahead."]
		fits(page)
		keep_picture(page, "enrollment-photo-refused")
		page.set_input_files("#file", {**photo, "buffer": b"no picture"})
		page.wait_for_function("() => document.querySelector('#end-text').textContent.includes('JPEG')")
		page.set_input_files("#file", {**photo, "buffer": bytes(MAX_PHOTO_BYTES + 1)})
		page.wait_for_function("() => document.querySelector('#end-text').textContent.includes('too large')")
		page.set_input_files("#file", {**photo, "buffer": drawn(1)})
		page.wait_for_selector("#end.well:not([hidden])")
		assert "Five views before a camera are surer" in page.inner_text("#end-text")
		assert service(sight).templates() == {"HR-EMP-1": 1}


def test_it_goes_by_the_keyboard_alone(tmp_path: Path, scene: Scene, open_page: Open) -> None:
	with office(tmp_path) as sight, somebody(sight, scene):
		page = open_page()
		enter(page, sight)
		page.wait_for_selector("#people button")
		page.focus("#search")
		page.keyboard.type("hr-emp-1")
		page.wait_for_function("() => document.querySelectorAll('#people li').length === 1")
		page.keyboard.press("Enter")
		assert page.evaluate("() => document.activeElement.id") == "agree-title"
		for key in ("Tab", "Tab", "Space", "Tab", "Enter"):  # the words, the tick, the first button
			page.keyboard.press(key)
		page.wait_for_selector("#capture:not([hidden])")
		assert page.get_attribute("#advice", "aria-live") == "polite"
		page.wait_for_selector("#end.well:not([hidden])", timeout=A_TURN_MS)


def test_whoever_cancels_or_leaves_frees_the_camera(tmp_path: Path, scene: Scene, open_page: Open) -> None:
	with office(tmp_path) as sight:
		page = open_page()
		enter(page, sight)
		for leave in (lambda: page.click("#cancel"), lambda: page.goto("about:blank")):
			choose(page)
			page.click("#by-camera")
			page.wait_for_selector("#capture:not([hidden])")
			leave()
			eventually(lambda: all(each.session.over for each in service(sight)._all()))
			assert {each.session.state for each in service(sight)._all()} == {State.CANCELLED}


def test_in_arabic_it_is_the_other_way_round_but_for_the_face(
	tmp_path: Path, scene: Scene, open_page: Open
) -> None:
	with office(tmp_path) as sight, somebody(sight, scene):
		page = open_page(800, 480, locale="ar-AE")
		enter(page, sight)
		page.wait_for_selector("#people button")
		assert page.get_attribute("html", "dir") == "rtl"
		choose(page)
		page.click("#by-camera")
		page.wait_for_selector("#poses li.done", timeout=A_TURN_MS)
		fits(page)
		keep_picture(page, "enrollment-arabic")
		page.wait_for_selector("#end.well:not([hidden])", timeout=A_TURN_MS)
