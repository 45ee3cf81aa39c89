"""The page at the door in a real browser, before a whole agent that sees drawn faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.person import Person
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.camera.face import Look
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from tests.edge.vision.rig import PEOPLE, ZONE, Scene, Sight, configuration, eventually, people_file, seeing
from tests.edge.web.conftest import keep_picture

Open = Callable[..., Any]

SIZES = {
	"800x480": (800, 480),
	"1024x600": (1024, 600),
	"1280x800": (1280, 800),
	"phone": (390, 844),
	"phone-on-its-side": (844, 390),
}

REMEMBER_CARDS = """
window.cards = [];
const said = (card, part) => card.querySelector(part).textContent;
addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
	for (const change of changes)
		for (const card of change.addedNodes)
			cards.push(`${said(card, ".title")}|${said(card, ".direction")}`);
}).observe(document.getElementById("cards"), { childList: true }));
"""
"""Keeps what every card said when it came."""

PARTS = (
	"#clock, #date, h1, #choice button, #cards article, #cards .title, #cards .advice, #cards time,"
	" #pad button, #ask h2, #ask-cancel, #notice strong, #notice p, #hint, #site, .tools button,"
	" #punches li:first-child"
)
WHAT_IS_CUT_OFF = """
(parts) => [...document.querySelectorAll(parts)].filter((node) => node.getClientRects().length)
	.filter((node) => {
		const { left, top, right, bottom } = node.getBoundingClientRect();
		const outside = left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5;
		const hides = getComputedStyle(node).overflowY === "hidden";
		return outside || (hides && node.scrollHeight > node.clientHeight + 2);
	})
	.map((node) => node.id || node.className || node.tagName)
"""
SIZES_OF_PAGE = """
[document.scrollingElement.scrollWidth, innerWidth, document.scrollingElement.scrollHeight, innerHeight]
"""
COLUMNS_DRAWN = """
() => {
	const canvas = document.getElementById("boxes");
	const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	let [left, right] = [1, 0];
	for (let at = 0; at < data.length / 4; at += 1) {
		if (!data[4 * at + 3]) continue;
		const share = (at % canvas.width) / canvas.width;
		[left, right] = [Math.min(left, share), Math.max(right, share)];
	}
	return [left, right];
}
"""
"""From where to where something is drawn over the video, as shares of its width."""
SMALLEST_BUTTON = """
Math.min(...[...document.querySelectorAll("button")].filter((each) => each.getClientRects().length)
	.flatMap((each) => [each.offsetWidth, each.offsetHeight]))
"""
COUNT_TONES = """
window.tones = 0;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
	window.tones += 1;
	return make.call(this);
};
"""


def kiosk(folder: Path, **tables: Mapping[str, Any]) -> dict[str, Any]:
	"""An agent with pages; a person who comes back after a second punches again."""
	web = {"enabled": True, "port": 0, **tables.pop("web", {})}
	table = {"pause_seconds": 1, "dim_seconds": 0, **tables.pop("kiosk", {})}
	quick = {"decision": {"recheck_seconds": 0.5}, **tables.pop("pipeline", {})}
	rest = {"recognition": {"pipeline": quick}, "rules": {"debounce_seconds": 0}, **tables}
	return configuration(folder, web=web, kiosk=table, **rest)


def visit(sight: Sight, page: Any) -> Any:
	assert sight.agent.web is not None
	page.add_init_script(REMEMBER_CARDS)
	page.goto(f"{sight.agent.web.address}kiosk")
	page.locator("#notice").wait_for(state="hidden")
	until(page, "document.getElementById('video').naturalWidth > 0")
	return page


def cards(page: Any) -> list[str]:
	found: list[str] = page.evaluate("window.cards")
	return found


def wait_for_greetings(page: Any, *said: str) -> None:
	"""Until these, and no others, have been greeted with IN or OUT."""

	def greeted() -> list[str]:
		return [card for card in cards(page) if not card.endswith("|")]

	eventually(lambda: len(greeted()) >= len(said), lambda: f"{said}")
	assert greeted() == list(said)


def until(page: Any, expression: str) -> None:
	"""Not `wait_for_function`: it evaluates text in the page, and the policy of the page forbids that."""
	eventually(lambda: page.evaluate(expression), lambda: expression)


def assert_all_fits(page: Any) -> None:
	scroll_width, width, scroll_height, height = page.evaluate(SIZES_OF_PAGE)
	assert scroll_width <= width
	assert scroll_height <= height
	assert page.evaluate(WHAT_IS_CUT_OFF, PARTS) == []


def test_two_people_come_and_go(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path)) as sight:
		page = visit(sight, open_page())
		first = verbs.come(scene.state, 1, place=0.3, scale=1.0)
		wait_for_greetings(page, "First Person|IN")
		second = verbs.come(scene.state, 2, place=0.7, scale=1.0)
		wait_for_greetings(page, "First Person|IN", "Second Person|IN")
		page.locator("#punches li").nth(1).wait_for()
		keep_picture(page, "kiosk-two-people")
		verbs.go(scene.state, first)
		verbs.go(scene.state, second)
		eventually(lambda: not sight.vision.live.faces)
		verbs.come(scene.state, 1, place=0.3, scale=1.0)
		wait_for_greetings(page, "First Person|IN", "Second Person|IN", "First Person|OUT")
		page.locator("#punches li").nth(2).wait_for()
		listed = [text.split("\n")[-2:] for text in page.locator("#punches li").all_inner_texts()]
		assert listed == [["First Person", "OUT"], ["Second Person", "IN"], ["First Person", "IN"]]


def test_the_boxes_are_where_the_faces_are(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path, kiosk={"mirrored": True, "names": "hidden"})) as sight:
		page = visit(sight, open_page(800, 480))
		verbs.come(scene.state, 1, place=0.3, scale=1.0)

		def is_at_its_place() -> bool:
			# At 0.3 of the picture is at 0.7 of a mirror; 48 of 640 pixels are cut off on both sides.
			left, right = page.evaluate(COLUMNS_DRAWN)
			return abs((left + right) / 2 - (0.7 * 640 - 48) / 544) < 0.03 and 0.1 < right - left < 0.3

		eventually(is_at_its_place)


def test_a_stranger_is_told_kindly(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path)) as sight:
		page = visit(sight, open_page())
		verbs.come(scene.state, 9)
		until(page, "window.cards.length")
		assert cards(page) == ["We have not met yet|"]
		assert "HR will enrol you" in page.locator("#cards .advice").inner_text()
		assert page.locator("#punches li").all_inner_texts() == ["Nobody yet"]
		assert sight.held() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_of_a_face_is_told_kindly_and_nobodys_name_with_it(
	scene: Scene, tmp_path: Path, open_page: Open, size: str
) -> None:
	table = {"liveness": True, "pipeline": {"decision": {"recheck_seconds": 0.5}}}
	with seeing(kiosk(tmp_path, recognition=table)) as sight:
		page = visit(sight, open_page(*SIZES[size]))
		photo = verbs.hold_up_photo(scene.state, 1)
		until(page, "window.cards.length")
		assert cards(page) == ["Once more, please|"]
		assert "Come a little closer" in page.locator("#cards .advice").inner_text()
		assert_all_fits(page)
		keep_picture(page, f"kiosk-liveness-{size}")
		assert "First Person" not in page.content()
		assert page.evaluate(COLUMNS_DRAWN) == [1, 0], "a picture has a box, or a name"
		assert {face.name for face in sight.vision.live.faces} == {""}
		assert page.locator("#punches li").all_inner_texts() == ["Nobody yet"]
		assert sight.held() == []
		verbs.go(scene.state, photo)
		eventually(lambda: not sight.vision.live.faces)
		verbs.come(scene.state, 1)
		wait_for_greetings(page, "First Person|IN")
		# The advice gives way to the greeting.
		assert page.locator("#cards .title").all_inner_texts() == ["First Person"]


def test_the_camera_is_unplugged_and_comes_back(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path)) as sight:
		page = visit(sight, open_page())
		verbs.trouble(scene.state, verbs.Trouble.UNPLUGGED)
		page.get_by_text("The camera is not connected").wait_for()
		since = sight.vision.live.state.camera_since.astimezone(sight.vision.terminal.zone)
		assert f"Since {since:%H:%M}." in page.locator("#notice p").inner_text()
		keep_picture(page, "kiosk-camera-lost")
		verbs.relieve(scene.state, verbs.Trouble.UNPLUGGED)
		page.locator("#notice").wait_for(state="hidden")
		until(page, "document.getElementById('video').naturalWidth > 0")
		verbs.come(scene.state, 1)
		wait_for_greetings(page, "First Person|IN")


def test_a_site_that_is_away_is_told_with_what_waits(
	scene: Scene,
	tmp_path: Path,
	open_page: Open,
	monkeypatch: pytest.MonkeyPatch,
	reserve_port: Callable[[], int],
) -> None:
	monkeypatch.setenv("SITE_KEY", "0123456789abcde")
	monkeypatch.setenv("SITE_SECRET", "edcba9876543210")
	state = SiteState(time_zone=ZONE, strict=True)
	for employee, device_id, _name in PEOPLE:
		site_verbs.hire(state, employee, device_id=device_id)
	site = FrappeSite(state, port=reserve_port())
	upstream = {
		"kind": "erpnext_rest",
		"url": site.url,
		"api_key_env": "SITE_KEY",
		"api_secret_env": "SITE_SECRET",
		"timezone": ZONE,
	}
	with seeing(kiosk(tmp_path, upstream=upstream)) as sight:
		people = [
			Person(employee=key, attendance_device_id=number, full_name=name) for key, number, name in PEOPLE
		]
		sight.agent.roster.replace(people, at=sight.agent._now())
		page = visit(sight, open_page(800, 480))
		page.get_by_text("punches waiting here: 0").wait_for()
		verbs.come(scene.state, 1)
		wait_for_greetings(page, "First Person|IN")
		page.get_by_text("punches waiting here: 1").wait_for()
		assert_all_fits(page)
		keep_picture(page, "kiosk-offline")
		with site:
			sight.agent.uploader.wake()
			page.locator("#site").wait_for(state="hidden", timeout=60_000)
			# On a busy machine somebody is lost from sight and punches again.
			eventually(lambda: state.checkins)


def test_a_turn_of_the_head_is_asked_for(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path, pipeline={"challenged": True})) as sight:
		page = visit(sight, open_page())
		visitor = verbs.come(scene.state, 1)
		side = sight.wait_for(EventType.CHALLENGE).facts["side"]
		page.get_by_text(f"Please turn your head to the {side}").wait_for()
		assert page.locator("#cards .arrow").is_visible()
		assert ("right" in page.locator("#cards .arrow").get_attribute("class").split()) == (side == "right")
		assert_all_fits(page)
		keep_picture(page, "kiosk-challenge")
		sign = 1 if side == "left" else -1
		for step in range(1, 5):
			at = scene.state.clock() + 0.25 * step
			visitor = verbs.turn(scene.state, visitor, Look(yaw=sign * 0.17 * step), at=at)
		until(page, "window.cards.includes('First Person|IN')")


def test_a_pin_is_asked_for(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	# Who still stands there when the pause is over is asked again.
	with seeing(kiosk(tmp_path, kiosk={"second_factor": "pin", "pause_seconds": 60})) as sight:
		sight.vision.second_factors.set("HR-EMP-1", "pin", "4711")
		page = visit(sight, open_page(800, 480))
		verbs.come(scene.state, 1)
		page.get_by_text("Your PIN, please").wait_for()
		assert_all_fits(page)
		for key in "4712":
			page.locator(f"#pad [data-digit='{key}']").click()
		assert page.locator("#ask-typed").inner_text() == "••••"
		keep_picture(page, "kiosk-pin")
		page.locator("#pad [data-act=done]").click()
		page.get_by_text("That was not it. Please try once more.").wait_for()
		assert cards(page) == []
		page.keyboard.type("4711")
		page.keyboard.press("Enter")
		wait_for_greetings(page, "First Person|IN")
		page.locator("#ask").wait_for(state="hidden")
		assert "4711" not in page.content()


def test_a_badge_reader_types(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path, kiosk={"second_factor": "badge"})) as sight:
		sight.vision.second_factors.set("HR-EMP-1", "badge", "AB-0042;7")
		page = visit(sight, open_page(800, 480))
		verbs.come(scene.state, 1)
		page.get_by_text("Your badge, please").wait_for()
		assert not page.locator("#pad").is_visible()
		page.keyboard.type("AB-0042;7")
		page.keyboard.press("Enter")
		wait_for_greetings(page, "First Person|IN")


def test_a_choice_is_for_the_next_punch(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	choices = {"choose_direction": True, "choice_seconds": 3, "pause_seconds": 60}
	with seeing(kiosk(tmp_path, kiosk=choices)) as sight:
		page = visit(sight, open_page(800, 480))
		out = page.locator("#choice .out")
		out.click()
		page.locator("#choice .out[aria-pressed=true]").wait_for()
		page.locator("#choice .out[aria-pressed=false]").wait_for()  # nobody came
		out.click()
		page.locator("#choice .out[aria-pressed=true]").wait_for()
		verbs.come(scene.state, 1, at=scene.state.clock() - 1.5, place=0.3, scale=1.0)
		wait_for_greetings(page, "First Person|OUT")
		assert out.get_attribute("aria-pressed") == "false"
		verbs.come(scene.state, 2, place=0.7, scale=1.0)
		wait_for_greetings(page, "First Person|OUT", "Second Person|IN")


def test_it_goes_dim_and_wakes_for_a_face(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path, kiosk={"dim_seconds": 1})) as sight:
		page = visit(sight, open_page())
		opacity = "getComputedStyle(document.getElementById('kiosk')).opacity"
		until(page, f"{opacity} < 0.5")
		verbs.come(scene.state, 9)
		until(page, f"{opacity} === '1'")


def test_nobody_is_enrolled(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path), enrolled={}) as sight:
		assert sight.agent.web is not None
		page = open_page(390, 844)
		page.goto(f"{sight.agent.web.address}kiosk")
		page.get_by_text("Nobody is enrolled yet").wait_for()
		assert_all_fits(page)
		sight.enrol("HR-EMP-1", 1)
		page.locator("#notice").wait_for(state="hidden")
		verbs.come(scene.state, 1)
		eventually(lambda: "First Person" in page.locator("#cards").inner_text(), lambda: "they are greeted")


def test_an_agent_that_was_away_is_found_again(
	scene: Scene, tmp_path: Path, open_page: Open, reserve_port: Callable[[], int]
) -> None:
	mapping = kiosk(tmp_path, web={"port": reserve_port()})
	with seeing(mapping) as sight:
		page = visit(sight, open_page())
		page.evaluate("window.isTheSame = true")
	page.get_by_text("This terminal is not ready").wait_for()
	with seeing(mapping, enrolled={}) as sight:
		page.locator("#notice").wait_for(state="hidden", timeout=30_000)
		verbs.come(scene.state, 1)
		until(page, "window.cards.includes('First Person|IN')")
		assert page.evaluate("window.isTheSame")


def test_an_agent_that_was_updated_has_its_page_loaded_again(
	scene: Scene, tmp_path: Path, open_page: Open
) -> None:
	with seeing(kiosk(tmp_path)) as sight:
		page = open_page()
		hello = (
			'data: {"type": "hello", "faces": [], "version": "99.0", "now": "2026-11-20T04:00:00+00:00"}\n\n'
		)
		page.route(
			"**/kiosk/events",
			lambda route: route.fulfill(body=hello, content_type="text/event-stream"),
			times=1,
		)
		loads: list[str] = []
		page.on("domcontentloaded", lambda _page: loads.append("load"))
		visit(sight, page)
		eventually(lambda: page.wait_for_timeout(50) or len(loads) == 2)


def test_words_that_do_not_come_at_once_are_asked_for_again(
	scene: Scene, tmp_path: Path, open_page: Open
) -> None:
	with seeing(kiosk(tmp_path, kiosk={"language": "de"}), enrolled={}) as sight:
		assert sight.agent.web is not None
		page = open_page(800, 480)
		asked: list[str] = []

		def fail(route: Any) -> None:
			asked.append(route.request.url)
			route.fulfill(status=503) if len(asked) == 1 else route.abort()

		page.route("**/lang/de.json", fail, times=3)
		page.goto(f"{sight.agent.web.address}kiosk")
		page.get_by_text("Noch ist niemand erfasst").wait_for()
		assert len(asked) == 3


def test_sound_is_muted_and_stays_so(scene: Scene, tmp_path: Path, open_page: Open) -> None:
	with seeing(kiosk(tmp_path)) as sight:
		page = open_page()
		page.add_init_script(COUNT_TONES)
		visit(sight, page)
		page.locator("#clock").click()  # a browser asks for a touch before it gives sound
		visitor = verbs.come(scene.state, 1)
		wait_for_greetings(page, "First Person|IN")
		assert page.evaluate("window.tones") == 2
		page.locator("#mute").click()
		page.reload()
		page.locator("#mute[aria-pressed=true]").wait_for()
		verbs.go(scene.state, visitor)
		eventually(lambda: not sight.vision.live.faces)
		verbs.come(scene.state, 1)
		wait_for_greetings(page, "First Person|OUT")
		assert page.evaluate("window.tones") == 0


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("de", "dark"), ("ar", "light")])
def test_nothing_scrolls_and_nothing_is_cut_off(
	scene: Scene, tmp_path: Path, open_page: Open, language: str, theme: str
) -> None:
	names = (("HR-EMP-1", "31", "Maximiliane von Hohenstein"), ("HR-EMP-2", "32", "عبد الرحمن الأنصاري"))
	table = {"company": "Example Trading and Contracting", "choose_direction": True, "pause_seconds": 60}
	mapping = kiosk(tmp_path, kiosk={**table, "language": language, "theme": theme})
	people_file(tmp_path, names)
	with seeing(mapping) as sight:
		pages = {name: visit(sight, open_page(*size)) for name, size in SIZES.items()}
		for page in pages.values():
			assert_all_fits(page)
			assert page.evaluate(SMALLEST_BUTTON) >= 40
		verbs.come(scene.state, 1, place=0.35, scale=1.0)
		verbs.come(scene.state, 2, place=0.65, scale=1.0)
		sight.wait_for(EventType.DECIDED, 2)
		for name, page in pages.items():
			until(page, "window.cards.length >= 2")
			page.locator("#punches li").nth(1).wait_for()
			keep_picture(page, f"kiosk-{language}-{name}")
			assert_all_fits(page)
