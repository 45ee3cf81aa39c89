"""Two edges and a simulated site that keeps faces, over real sockets: what one captures the other knows, and
what is withdrawn is gone everywhere, from memory too."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.core.errors import Code
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.template import Template
from attendance_bridge.edge.face_sync import FaceSync
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, SiteState, verbs
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.sealed import GalleryKey
from attendance_bridge.stores.site_faces import SiteFaces
from attendance_bridge.upstreams.frappe_bridge import Upstream
from attendance_bridge.upstreams.frappe_bridge.config import Config
from tests.stores.faces import MODEL, TEXT_SHA256, consent, template, vector

np = pytest.importorskip("numpy")
pytest.importorskip("cryptography")

from attendance_bridge.edge.vision.mirror import GalleryMirror  # noqa: E402
from attendance_bridge.recognition.matcher import Matcher  # noqa: E402

ANNA, BEN = "HR-EMP-00001", "HR-EMP-00002"
OTHER_MODEL = "other-99999999"


def now() -> datetime:
	return datetime.now(timezone.utc)


class Edge:
	"""An agent's gallery, its copy in memory, and what keeps it in step with the site."""

	def __init__(self, folder: Path, url: str, key: tuple[str, str], model: str = MODEL) -> None:
		self.db = Database.open(folder / "edge.db")
		self.gallery = Gallery.open(self.db, GalleryKey.new(), now=now)
		self.faces = SiteFaces(self.db, self.gallery)
		self.mirror = GalleryMirror(self.gallery, Matcher(model, 512))
		config = Config(url=url, api_key=Secret(key[0]), api_secret=Secret(key[1]), timeout=5.0)
		self.upstream = Upstream(config)
		self.models = [model]
		self.sync = FaceSync(
			upstream=self.upstream,
			gallery=self.gallery,
			faces=self.faces,
			models=lambda: self.models,
			now=now,
			pulse=Pulse(),
			on_change=lambda: self.mirror.refresh(now=True),
		)

	def enroll(self, *seeds: int, employee: str = ANNA, **options: Any) -> list[Template]:
		templates = [template(seed, employee, **options) for seed in seeds]
		Consents(self.db).give([consent(employee)])
		self.gallery.add(templates)
		return templates

	def step(self) -> None:
		self.sync.step()
		assert self.sync.last_error is None
		self.mirror.refresh(now=True)

	def knows(self, seed: int) -> str | None:
		"""Whom the matcher takes a face for."""
		match = self.mirror.matcher.search(np.frombuffer(vector(seed), "<f4"))
		return match.employee if match is not None and match.cosine > 0.99 else None

	def close(self) -> None:
		self.upstream.close()
		self.db.close()


class Plant:
	def __init__(self, folder: Path) -> None:
		self._folder = folder
		self.state = SiteState(time_zone="Asia/Dubai")
		self.bridge = Bridge(site=self.state)
		for name in (ANNA, BEN):
			verbs.hire(self.state, name, device_id=name[-1])
		self.site = FrappeSite(self.state, bridge=self.bridge)
		self.site.start()
		self._opened = contextlib.ExitStack()
		self.gate = self.edge("gate", (self.state.api_key, self.state.api_secret))
		self.hall = self.edge("hall", verbs.add_agent(self.bridge, "Hall"))

	def edge(self, name: str, key: tuple[str, str], model: str = MODEL) -> Edge:
		folder = self._folder / name
		folder.mkdir()
		edge = Edge(folder, self.site.url, key, model)
		self._opened.callback(edge.close)
		return edge

	def close(self) -> None:
		self._opened.close()
		self.site.stop()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
	plant = Plant(tmp_path)
	yield plant
	plant.close()


def test_what_one_edge_captures_the_other_knows(plant: Plant) -> None:
	sent = plant.gate.enroll(1, 2)
	plant.gate.step()
	assert plant.gate.gallery.untold(9) == []
	plant.hall.step()
	assert plant.hall.gallery.by_employee(ANNA) == sent
	assert (plant.hall.knows(1), plant.hall.knows(3)) == (ANNA, None)
	found = Consents(plant.hall.db).of(ANNA)
	assert found is not None
	assert (found.holds, found.text_sha256) == (True, TEXT_SHA256)


@pytest.mark.parametrize(
	("url", "verify_tls", "sealed"),
	[
		("https://erp.example.com", True, True),
		("https://erp.example.com", False, False),
		("http://127.0.0.1:8000", True, True),
		("http://192.168.1.10", True, False),
	],
)
def test_no_template_goes_where_somebody_may_read_along(
	plant: Plant, url: str, verify_tls: bool, sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
	config = Config(
		url=url,
		api_key=Secret("0123456789abcde"),
		api_secret=Secret("edcba9876543210"),
		verify_tls=verify_tls,
	)
	assert config.is_sealed is sealed
	if sealed:
		return
	# The same edge, as if its site stood at such an address.
	monkeypatch.setattr(Upstream, "is_sealed", property(lambda _self: False))
	plant.hall.enroll(2, employee=BEN)
	plant.hall.step()
	gate = plant.edge("open", verbs.add_agent(plant.bridge, "Open"))
	gate.enroll(1)
	gate.step()
	assert set(plant.bridge.faces.templates) == {str(template(2).template_id)}
	assert gate.gallery.counts() == {MODEL: {ANNA: 1}}
	Erasures(gate.db).withdraw(ANNA, by="kiosk", at=now())
	gate.step()
	latest = plant.bridge.faces.latest(ANNA)
	assert latest is not None
	assert latest["withdrawn_at"] is not None


def test_who_is_enrolled_again_elsewhere_is_known_by_the_new_templates_only(plant: Plant) -> None:
	plant.gate.enroll(1, 2)
	plant.gate.step()
	plant.hall.step()
	later = consent(ANNA, days=1)
	assert plant.hall.gallery.enrol([template(3, ANNA)], later, replace=True, by="hr", at=now()) == 2
	plant.hall.step()
	plant.gate.step()
	for edge in (plant.gate, plant.hall):
		assert edge.gallery.by_employee(ANNA) == [template(3, ANNA)]
		assert [edge.knows(seed) for seed in (1, 2, 3)] == [None, None, ANNA]


def test_the_site_is_told_how_many_templates_its_erasure_reached(plant: Plant) -> None:
	plant.gate.enroll(1, 2)
	plant.gate.step()
	plant.hall.step()
	verbs.withdraw_consent(plant.bridge, ANNA)
	told: list[int] = []
	for edge in (plant.gate, plant.hall):
		tell = edge.upstream.tell_erasures

		def overheard(withdrawals: Any, requests: Any, obeyed: Any, tell: Callable[..., None] = tell) -> None:
			told.extend(each.templates for each in obeyed)
			tell(withdrawals, requests, obeyed)

		edge.upstream.tell_erasures = overheard  # type: ignore[method-assign]
		edge.step()
		assert edge.gallery.counts() == {}
	assert told == [2, 2]


def test_a_new_model_leaves_what_it_can_be_fed_from(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.gate.models[:] = [OTHER_MODEL]
	plant.gate.step()
	plant.gate.step()
	assert plant.gate.gallery.counts() == {MODEL: {ANNA: 1}}
	assert plant.gate.gallery.outdated(OTHER_MODEL) == [ANNA]
	# And it hears of the end of those, too.
	plant.hall.step()
	plant.hall.gallery.enrol([template(3, ANNA)], consent(ANNA, days=1), replace=True, by="hr", at=now())
	plant.hall.step()
	plant.gate.step()
	assert plant.gate.gallery.by_employee(ANNA) == [template(3, ANNA)]


def test_another_model_is_neither_given_nor_compared(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.enroll(2, model=OTHER_MODEL)
	other = plant.edge("other", verbs.add_agent(plant.bridge, "Other"), OTHER_MODEL)
	for edge in (plant.gate, plant.hall, other):
		edge.step()
	assert plant.hall.gallery.counts() == {MODEL: {ANNA: 1}}
	assert other.gallery.counts() == {OTHER_MODEL: {ANNA: 1}}
	assert (plant.hall.knows(1), plant.hall.knows(2)) == (ANNA, None)
	assert (other.knows(1), other.knows(2)) == (None, ANNA)
	plant.hall.models = [OTHER_MODEL]
	plant.hall.step()
	assert plant.hall.gallery.counts() == {OTHER_MODEL: {ANNA: 1}}


@pytest.mark.parametrize("where", ["the site", "an edge"])
def test_a_withdrawal_erases_at_the_site_at_two_edges_and_from_memory(plant: Plant, where: str) -> None:
	plant.gate.enroll(1, 2)
	plant.gate.enroll(3, employee=BEN)
	edges = (plant.gate, plant.hall)
	for edge in edges:
		edge.step()
		assert edge.knows(1) == ANNA
	if where == "the site":
		verbs.withdraw_consent(plant.bridge, ANNA)
	else:
		Erasures(plant.hall.db).withdraw(ANNA, by="kiosk", at=now())
		plant.hall.step()
	shelf = plant.bridge.faces
	assert {row["employee"] for row in shelf.templates.values()} == {BEN}
	(record,) = shelf.erasures
	assert (record.employee, record.reason, len(record.ids)) == (ANNA, "withdrawn", 2)
	for edge in edges:
		edge.step()
		assert (edge.knows(1), edge.knows(2), edge.knows(3)) == (None, None, BEN)
		assert edge.gallery.by_employee(ANNA) == []
		assert ANNA not in edge.mirror.matcher.employees
		assert Erasures(edge.db).records(ANNA)[-1].reason is ErasureReason.WITHDRAWN
	assert record.unconfirmed == set()
	assert all(told["traces_gone_at"] for told in record.confirmed.values())
	for _ in range(3):
		for edge in edges:
			edge.step()
	assert shelf.erasures == [record], "nobody tells anybody what all know already"
	assert len(Erasures(plant.gate.db).records(ANNA)) <= 2


def test_an_edge_that_was_away_erases_when_it_comes_back(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	plant.site.stop()
	plant.gate.sync.step()
	error = plant.gate.sync.last_error
	assert error is not None
	assert error.code is Code.UNREACHABLE
	assert plant.gate.knows(1) == ANNA
	verbs.withdraw_consent(plant.bridge, ANNA)
	plant.site.start()
	plant.hall.upstream.close()
	again = plant.edge("again", verbs.add_agent(plant.bridge, "Again"))
	again.step()
	assert again.gallery.counts() == {}


def test_agreeing_again_after_a_withdrawal(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	verbs.withdraw_consent(plant.bridge, ANNA)
	plant.gate.step()
	later = now() + timedelta(seconds=2)
	while now() < later:
		threading.Event().wait(0.1)
	fresh = template(5, ANNA)
	given = consent(ANNA)
	Consents(plant.gate.db).give([replace(given, given_at=now())])
	plant.gate.gallery.add([replace(fresh, captured_at=now())])
	for edge in (plant.gate, plant.hall, plant.gate):
		edge.step()
		assert (edge.knows(1), edge.knows(5)) == (None, ANNA)


def test_erasing_at_one_edge_erases_everywhere(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	Erasures(plant.hall.db).remove(ANNA, ErasureReason.ASKED, by="hr", at=now())
	plant.hall.step()
	plant.gate.step()
	assert plant.bridge.faces.templates == {}
	assert (plant.gate.knows(1), plant.hall.knows(1)) == (None, None)
	assert [each.reason for each in plant.bridge.faces.erasures] == ["requested"]


def test_an_enrolment_that_replaces_another(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	plant.gate.gallery.enrol([template(2, ANNA)], None, replace=True, by="hr", at=now())
	plant.gate.step()
	plant.hall.step()
	for edge in (plant.gate, plant.hall):
		assert (edge.knows(1), edge.knows(2)) == (None, ANNA)
	assert [each.reason for each in plant.bridge.faces.erasures] == ["replaced"]


def test_templates_that_are_to_stay_stay(plant: Plant) -> None:
	plant.gate.enroll(3, employee=BEN)
	plant.gate.step()
	plant.hall.sync._templates_stay = True
	sent: list[object] = []
	bring = plant.hall.upstream.bring_faces
	plant.hall.upstream.bring_faces = lambda consents, templates, replaced: (  # type: ignore[method-assign]
		sent.extend(templates),
		bring(consents, templates, replaced),
	)[1]
	kept = plant.hall.enroll(1, 2)
	plant.hall.step()
	assert sent == []
	assert {row["employee"] for row in plant.bridge.faces.templates.values()} == {BEN}
	assert plant.hall.gallery.by_employee(ANNA) == kept
	assert plant.hall.gallery.by_employee(BEN) == [], "none is fetched"
	for _ in range(3):
		plant.hall.step()
		plant.gate.step()
	assert (plant.hall.knows(1), plant.gate.knows(1)) == (ANNA, None)
	verbs.withdraw_consent(plant.bridge, ANNA)
	plant.hall.step()
	assert plant.hall.gallery.by_employee(ANNA) == []
	assert plant.hall.knows(1) is None


def test_nothing_central_and_back(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	verbs.keep_no_templates(plant.bridge)
	for edge in (plant.gate, plant.hall, plant.gate):
		edge.step()
	assert (plant.gate.knows(1), plant.hall.knows(1)) == (ANNA, None)
	plant.hall.enroll(2, employee=BEN)
	plant.hall.step()
	assert plant.bridge.faces.templates == {}
	verbs.keep_no_templates(plant.bridge, on=False)
	for edge in (plant.gate, plant.hall, plant.gate):
		edge.step()
	assert {plant.gate.knows(1), plant.hall.knows(1)} == {ANNA}
	assert {plant.gate.knows(2), plant.hall.knows(2)} == {BEN}


def test_what_the_site_does_not_take_stays_and_is_not_sent_for_ever(plant: Plant) -> None:
	plant.gate.enroll(1, employee="HR-EMP-99999")
	plant.gate.step()
	plant.gate.step()  # the first answer was a whole list, after which it is tried once more
	calls = plant.bridge.counters["templates"]
	plant.gate.step()
	assert plant.bridge.counters["templates"] == calls
	assert plant.gate.knows(1) == "HR-EMP-99999"


def test_many_people_in_pages(plant: Plant) -> None:
	names = [f"HR-EMP-1{number:04d}" for number in range(130)]
	for seed, name in enumerate(names, 10):
		verbs.hire(plant.state, name)
		plant.gate.enroll(seed, employee=name)
	plant.gate.step()
	plant.hall.step()
	assert plant.hall.gallery.counts() == {MODEL: dict.fromkeys(names, 1)}
	assert plant.bridge.counters["faces"] == 4
	verbs.dismiss(plant.bridge, names[0])
	plant.hall.sync._token = ""
	plant.hall.step()
	assert names[0] not in plant.hall.gallery.counts()[MODEL]


@pytest.mark.parametrize("told", ["site down", "not for us"])
def test_trouble_is_told_and_passes(plant: Plant, told: str) -> None:
	plant.gate.enroll(1)
	plant.bridge.agent_enabled = told != "not for us"
	if told == "site down":
		plant.site.stop()
	plant.gate.sync.step()
	error = plant.gate.sync.last_error
	assert error is not None
	assert error.code is (Code.FORBIDDEN if told == "not for us" else Code.UNREACHABLE)
	assert not plant.gate.sync._is_due()


def test_it_works_by_itself(plant: Plant) -> None:
	stop = threading.Event()
	edges = (plant.gate, plant.hall)
	threads = [threading.Thread(target=edge.sync.run, args=(stop,)) for edge in edges]
	plant.gate.enroll(1)
	for thread in threads:
		thread.start()
	try:
		for _ in range(100):
			plant.hall.sync.wake()
			plant.hall.mirror.refresh(now=True)
			if plant.hall.knows(1) == ANNA:
				break
			threading.Event().wait(0.1)
		assert plant.hall.knows(1) == ANNA
	finally:
		stop.set()
		for thread in threads:
			thread.join()


def test_nothing_of_a_face_is_readable_at_an_edge(plant: Plant) -> None:
	plant.gate.enroll(1)
	plant.gate.step()
	plant.hall.step()
	for edge in (plant.gate, plant.hall):
		content = b"".join(file.read_bytes() for file in edge.db.path.parent.iterdir())
		assert template(1).template_id.bytes in content
		assert vector(1)[:16] not in content
