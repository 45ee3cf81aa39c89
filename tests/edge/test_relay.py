"""The whole agent between simulated terminals and a simulated site that decides, and that assigns them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import Code
from attendance_bridge.core.projection import State
from attendance_bridge.core.pull import OnPage, PullReport
from attendance_bridge.core.relay import Assignment, RelayedDevice, RelayRules
from attendance_bridge.edge import heartbeat, posts
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.listener import Live, Standing
from attendance_bridge.edge.settings import Device, from_mapping
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.hikvision.state import USER
from tests.edge.rig import ZONE, eventually, hikvision

PASSWORD = "gate-password-7"
PASSES = 12


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("SITE_KEY", "0123456789abcde")
	monkeypatch.setenv("SITE_SECRET", "edcba9876543210")
	monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
	monkeypatch.setattr(heartbeat, "EVERY", timedelta(seconds=0.3))
	monkeypatch.setattr(heartbeat, "PAUSE", timedelta(seconds=0.05))
	monkeypatch.setattr(heartbeat.HeartbeatWorker, "look_every_seconds", 0.02)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
	before = set(threading.enumerate())
	yield
	eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


class Branch:
	"""A site with one employee, and terminals that somebody passed every quarter of an hour."""

	def __init__(self, folder: Path) -> None:
		self._folder = folder
		self.state = SiteState(time_zone="Asia/Kolkata")
		self.bridge = Bridge(site=self.state)
		site_verbs.hire(self.state, "HR-EMP-00007", device_id="7")
		self.site = FrappeSite(self.state, bridge=self.bridge)
		self._stack = ExitStack()

	def terminal(self, serial: str, passes: int = PASSES) -> tuple[HikvisionState, int]:
		"""Switch a terminal on; returns it and its port."""
		state = HikvisionState(serial=serial, zone=ZONE, password=PASSWORD)
		hikvision_verbs.enroll(state, "7", "Somebody")
		start = datetime.now(ZONE).replace(second=len(serial), microsecond=0) - timedelta(days=1)
		for number in range(passes):
			hikvision_verbs.punch(state, "7", at=start + timedelta(minutes=15 * number))
		return state, self._stack.enter_context(HikvisionTerminal(state)).port

	def assign(self, name: str, port: int, **facts: Any) -> RelayedTerminal:
		options = {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD, "page_size": 5}
		assigned = RelayedTerminal(
			name=name,
			driver="hikvision_isapi",
			options=options,
			time_zone=ZONE.key,
			role="both",
			poll_seconds=1,
		)
		for key, value in facts.items():
			setattr(assigned, key, value)
		with self.state.lock:
			self.bridge.terminals = [*self.bridge.terminals, assigned]
		return assigned

	def change(self, terminal: RelayedTerminal, **options: Any) -> None:
		with self.state.lock:
			terminal.options = {**terminal.options, **options}

	@contextmanager
	def agent(self, *own: dict[str, Any], port: int | None = None, **tables: Any) -> Iterator[Agent]:
		mapping = {
			"agent": {"name": "Branch", "database": str(self._folder / "edge.db")},
			"upstream": {
				"kind": "frappe_bridge",
				"url": f"http://127.0.0.1:{port or self.site.port}",
				"api_key_env": "SITE_KEY",
				"api_secret_env": "SITE_SECRET",
			},
			"web": {"port": 0},
			"devices": list(own),
			**tables,
		}
		agent = Agent(from_mapping(mapping))
		try:
			agent.start()
			yield agent
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()

	def close(self) -> None:
		self.site.stop()
		self._stack.close()

	@property
	def taken(self) -> int:
		return len(self.bridge.punches)

	def last_report(self, name: str) -> dict[str, Any]:
		for beat in reversed(self.bridge.heartbeats):
			for report in beat["devices"]:
				if report["name"] == name:
					return dict(report)
		return {}


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[Branch]:
	branch = Branch(tmp_path)
	branch.site.start()
	yield branch
	branch.close()


def own_device(port: int, name: str = "Own gate") -> dict[str, Any]:
	return {
		"name": name,
		"driver": "hikvision_isapi",
		"host": "127.0.0.1",
		"port": port,
		"user": USER,
		"password_env": "GATE_PASSWORD",
		"timezone": ZONE.key,
		"role": "both",
		"poll_seconds": 1.0,
	}


def requests(state: HikvisionState) -> int:
	return state.counters.requests.total()


def test_what_the_site_assigns_is_read_and_handed_over(branch: Branch) -> None:
	_one, first = branch.terminal("HIK1")
	_two, second = branch.terminal("HIK22")
	branch.assign("Main gate", first)
	branch.assign("Back door", second)
	with branch.agent() as agent:
		eventually(lambda: branch.taken == 2 * PASSES, "all punches are taken")
		eventually(lambda: not agent.punches.waiting_since(), "all receipts are written down")
		held = list(agent.punches.each())
		assert {each.state for each in held} <= {State.CHECKED_IN, State.DUPLICATE}
		checked_in = [each for each in held if each.state is State.CHECKED_IN]
		assert {each.employee for each in checked_in} == {"HR-EMP-00007"}
		assert all(each.log_type and each.log_type_reason and each.reference for each in checked_in)
		assert len(branch.state.checkins) == len(checked_in)
		eventually(lambda: branch.last_report("Back door").get("watermark"), "the site may vouch")
		assert branch.last_report("Main gate")["serial"] == "HIK1"
		assert branch.last_report("Main gate")["error"] is None


def test_no_secret_is_written_down_or_shown(
	branch: Branch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
	caplog.set_level(logging.DEBUG)
	_state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port)
	wrong = branch.assign("Back door", port, serial="ANOTHER")
	branch.assign("No driver", port, driver="of_tomorrow")
	branch.change(wrong, timeout="soon")
	with branch.agent() as agent:
		eventually(lambda: branch.taken == PASSES, "all punches are taken")
		eventually(lambda: branch.last_report("No driver"), "what cannot be used is told")
		shown = [repr(agent.terminals.all), repr(vars(agent.terminals)), repr(agent.terminals.assigned)]
		shown += [json.dumps(branch.bridge.heartbeats), *(record.getMessage() for record in caplog.records)]
		assert branch.last_report("No driver")["error"]["code"] == Code.BAD_VALUE.value
		assert branch.last_report("Back door")["error"]["code"] == Code.BAD_VALUE.value
	for text in shown:
		assert PASSWORD not in text
	for file in tmp_path.iterdir():
		assert PASSWORD.encode() not in file.read_bytes()
		assert b"edcba9876543210" not in file.read_bytes()


def test_terminals_come_and_go_while_the_agent_runs(branch: Branch) -> None:
	one, first = branch.terminal("HIK1")
	two, second = branch.terminal("HIK22")
	branch.assign("Main gate", first)
	with branch.agent() as agent:
		eventually(lambda: branch.taken == PASSES, "the first is read")
		branch.assign("Back door", second)
		eventually(lambda: branch.taken == 2 * PASSES, "the second is read as well")
		with branch.state.lock:
			branch.bridge.terminals = branch.bridge.terminals[1:]
		eventually(lambda: len(agent.terminals.all) == 1, "the first is taken away")
		# Nothing public tells of one that is being read and has brought no page yet.
		poller = agent.poller
		eventually(lambda: not (poller._devices.keys() | poller._reading) - {"Back door"}, "and left alone")
		before = requests(one)
		reads = requests(two)
		eventually(lambda: requests(two) > reads + 3, "the second is still read")
		assert requests(one) == before


def test_a_corrected_password_is_tried_at_once(branch: Branch) -> None:
	state, port = branch.terminal("HIK1")
	terminal = branch.assign("Main gate", port)
	branch.change(terminal, password="wrong")
	with branch.agent():
		eventually(lambda: branch.last_report("Main gate").get("error"), "the refusal is told")
		assert branch.last_report("Main gate")["error"]["code"] == Code.AUTH_FAILED.value
		tried = requests(state)
		site_verbs.want_read(branch.bridge, "Main gate")
		eventually(lambda: not branch.bridge.wishes, "the wish is answered with the error")
		assert requests(state) == tried, "a wish must not lock the account"
		branch.change(terminal, password=PASSWORD)
		eventually(lambda: branch.taken == PASSES, "it is read with the new password")
		eventually(lambda: branch.last_report("Main gate")["error"] is None, "the error is gone")


def test_a_site_that_is_away_at_the_start_keeps_no_terminal_of_ours_waiting(
	branch: Branch, reserve_port: Callable[[], int]
) -> None:
	_one, first = branch.terminal("HIK1")
	_two, second = branch.terminal("HIK22")
	branch.site.stop()
	branch.site.port = port = reserve_port()
	branch.assign("Back door", second)
	with branch.agent(own_device(first), port=port) as agent:
		eventually(lambda: agent.punches.counts()[State.PENDING] == PASSES, "our own terminal is read")
		assert agent.last_error is not None
		branch.assign("By its number", first, serial="HIK1")
		branch.site.start()
		eventually(lambda: branch.taken == 2 * PASSES, "both arrive when the site is back")
		eventually(lambda: agent.last_error is None, "all is well")


def test_a_terminal_that_nobody_assigned_waits_and_then_goes(branch: Branch) -> None:
	_state, port = branch.terminal("HIK1")
	with branch.agent(own_device(port)) as agent:

		def waiting() -> Sequence[str]:
			return [each.error_code for each in agent.punches.held(state=State.PENDING)]

		eventually(lambda: waiting() == ["unknown_device"] * PASSES, "the site does not know it")
		assert branch.taken == 0
		branch.assign("Main gate", port, serial="HIK1")
		# At once, and not after the pause that has grown meanwhile.
		eventually(lambda: branch.taken == PASSES, "it goes as soon as it is assigned")
		eventually(lambda: branch.last_report("Main gate").get("watermark"), "our own terminal is told of")
		assert len(agent.terminals.all) == 1


def test_a_terminal_is_read_when_somebody_asks_for_it(branch: Branch) -> None:
	state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port, poll_seconds=86_400)
	with branch.agent():
		eventually(lambda: branch.taken == PASSES, "all punches are taken")
		eventually(lambda: branch.last_report("Main gate").get("serial"), "the site knows it")
		eventually(lambda: branch.bridge.revision == branch.bridge.heartbeats[-1]["revision"], "and so do we")
		hikvision_verbs.punch(state, "7")
		site_verbs.want_read(branch.bridge, "Main gate")
		eventually(lambda: branch.taken == PASSES + 1, "it is read at once")
		eventually(lambda: not branch.bridge.wishes, "the wish is fulfilled")


def test_a_reading_that_was_under_way_does_not_fulfil_a_wish(
	branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
	state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port, poll_seconds=86_400)
	with branch.agent() as agent:
		eventually(lambda: branch.last_report("Main gate").get("watermark"), "all is well")
		eventually(lambda: branch.taken == PASSES and not agent.poller._reading, "and quiet")
		read, wished = agent.reader.read, threading.Event()

		def wish_in_the_middle(device: Device, *, on_page: OnPage, **rest: Any) -> PullReport:
			def after_page(page: Page, report: PullReport) -> None:
				on_page(page, report)
				if not wished.is_set():
					hikvision_verbs.punch(state, "7")
					site_verbs.want_read(branch.bridge, "Main gate")
					wished.set()

			return read(device, on_page=after_page, **rest)

		monkeypatch.setattr(agent.reader, "read", wish_in_the_middle)
		agent.poller.hurry("Main gate")
		eventually(lambda: branch.taken == PASSES + 1, "it is read once more")
		assert wished.is_set()


def test_the_watermark_stays_behind_what_waits(branch: Branch) -> None:
	state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port)
	with branch.agent() as agent:
		eventually(lambda: branch.last_report("Main gate").get("watermark"), "all is well")
		# A watermark may be told while the first punches are still on their way.
		eventually(lambda: branch.taken == PASSES and not agent.punches.waiting_since(), "all are taken")
		ingest = "/api/method/attendance_bridge.api.ingest.punches"
		branch.site.between = lambda request, pass_on: None if request.path == ingest else pass_on(request)
		punched_at = datetime.now(timezone.utc).replace(microsecond=0)
		hikvision_verbs.punch(state, "7", at=punched_at.astimezone(ZONE))
		eventually(lambda: agent.punches.waiting_since(), "a punch waits")
		eventually(lambda: branch.bridge.heartbeats[-1]["waiting"] == 1, "it is told")
		told = len(branch.bridge.heartbeats)
		eventually(lambda: len(branch.bridge.heartbeats) > told + 2, "time goes by")
		for beat in branch.bridge.heartbeats[told:]:
			watermark = beat["devices"][0]["watermark"].removesuffix("Z")
			assert datetime.fromisoformat(watermark).replace(tzinfo=timezone.utc) <= punched_at
			assert beat["oldest_waiting"] == f"{punched_at.replace(tzinfo=None).isoformat()}Z"
		watermark_here = agent.cursors.watermark("HIK1")
		assert watermark_here is not None
		assert watermark_here > punched_at


def test_what_was_taken_is_vouched_for_at_once(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(heartbeat, "EVERY", timedelta(hours=1))
	state, port = branch.terminal("HIK1")
	hikvision_verbs.punch(state, "7", at=datetime(2000, 1, 1, tzinfo=ZONE))
	branch.assign("Main gate", port, poll_seconds=86_400)
	with branch.agent() as agent:

		def vouched() -> bool:
			watermark = agent.cursors.watermark("HIK1")
			told = branch.last_report("Main gate").get("watermark")
			return bool(watermark) and told == f"{watermark:%Y-%m-%dT%H:%M:%S.%f}Z"

		eventually(vouched, "the watermark is not held by a punch that the site has")
		assert branch.taken == PASSES + 1


def test_unreadable_records_are_handed_over_once(branch: Branch) -> None:
	state, port = branch.terminal("HIK1", passes=3)
	hikvision_verbs.set_fault(state, "bad-date-row")
	branch.assign("Main gate", port)
	with branch.agent() as agent:
		eventually(lambda: agent.punches.unreadable_count() > 0, "there are some")
		eventually(
			lambda: len(branch.bridge.unreadable) == agent.punches.unreadable_count(), "the site has them all"
		)
		eventually(lambda: not agent.punches.untold("HIK1", 10), "and we know it")
		assert branch.bridge.counters["unreadable"] <= agent.punches.unreadable_count()


def relayed(name: str, **facts: Any) -> RelayedDevice:
	known: dict[str, Any] = {
		"driver": "hikvision_isapi",
		"enabled": True,
		"serial": "",
		"time_zone": ZONE.key,
		"role": "key",
		"user_id_prefix": "",
		"poll_seconds": 60,
		"options": {"host": "127.0.0.1", "user": USER, "password": PASSWORD},
	}
	return RelayedDevice(name=name, **{**known, **facts})


def assign(*devices: RelayedDevice) -> Terminals:
	terminals = Terminals((hikvision(80, "Main gate"), hikvision(81, "Back door", serial="S2")))
	rules = RelayRules(clock_tolerance_seconds=120, correct_clocks=False)
	terminals.assign(Assignment(revision="1", devices=devices, rules=rules), {"Main gate": "S1"})
	return terminals


def test_our_own_configuration_counts_where_both_have_a_terminal() -> None:
	terminals = assign(relayed("Main gate"), relayed("Theirs", serial="S2"), relayed("New"))
	assert [device.settings.name for device in terminals.all] == ["Main gate", "Back door", "New"]
	assert dict(terminals.assigned.names) == {"Main gate": "Main gate", "Theirs": "Back door", "New": "New"}


@pytest.mark.parametrize(
	"facts",
	[
		{"driver": "../../etc"},
		{"time_zone": "Nowhere"},
		{"role": "boss"},
		{"poll_seconds": 0},
		{"options": {"host": "a b", "user": "x", "password": "y"}},
		{"options": {"host": "127.0.0.1"}},
		{"options": {"host": "127.0.0.1", "user": "x", "password_file": "/etc/hostname"}},
	],
)
def test_what_cannot_be_read_so_is_left_alone(facts: dict[str, Any]) -> None:
	terminals = assign(relayed("Bad", **facts), relayed("Good"))
	assert [device.settings.name for device in terminals.all][2:] == ["Good"]
	assert list(terminals.assigned.unusable) == ["Bad"]


def test_an_option_of_tomorrow_is_left_out() -> None:
	options = {"host": "127.0.0.1", "user": USER, "password": PASSWORD, "telepathy": True, "port": 8080}
	terminals = assign(relayed("New", options=options))
	assert terminals.all[2].config.port == 8080
	assert terminals.all[2].config.password.reveal() == PASSWORD


# --- live, and looking for terminals


def test_the_site_says_to_whom_to_listen(branch: Branch) -> None:
	state, port = branch.terminal("HIK1")
	# A number that the site hears of later makes another terminal of it, which is listened to anew.
	branch.assign("Main gate", port, poll_seconds=86_400, live=True, serial="HIK1")
	with branch.agent() as agent:
		eventually(lambda: agent.listener.states.get("Main gate", Live()).standing is Standing.LISTENING)
		eventually(lambda: branch.taken == PASSES)
		hikvision_verbs.punch(state, "7")
		eventually(lambda: branch.taken == PASSES + 1)
		# The pull that its listening began with may have brought it, too.
		eventually(lambda: agent.listener.states["Main gate"].events == 1)
		eventually(lambda: (branch.last_report("Main gate").get("live") or {}).get("event_at"))
		assert branch.last_report("Main gate")["live"]["standing"] == "listening"


def test_the_site_says_who_is_to_post(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(posts, "LOOK_EVERY_SECONDS", 0.05)
	monkeypatch.setenv("POSTS_TOKEN", "t" * 24)
	state, port = branch.terminal("HIK1", passes=0)
	assigned = branch.assign("Main gate", port, poll_seconds=86_400, posts=True)
	receiver = {"enabled": True, "host": "127.0.0.1", "port": 0, "token_env": "POSTS_TOKEN"}
	with branch.agent(receiver=receiver):
		eventually(lambda: any(host.is_set for host in state.hosts.values()))
		eventually(lambda: (branch.last_report("Main gate").get("posts") or {}).get("told_at"))
		hikvision_verbs.punch(state, "7")
		eventually(lambda: branch.taken == 1)
		eventually(lambda: branch.last_report("Main gate")["posts"]["delivery"] == "delivers")
		assert "t" * 24 not in json.dumps(branch.bridge.heartbeats)
		with branch.state.lock:
			assigned.posts = False
		eventually(lambda: not any(host.is_set for host in state.hosts.values()), "taken away")
		eventually(lambda: branch.last_report("Main gate")["posts"] is None)


def test_the_site_wants_a_range_looked_through(branch: Branch) -> None:
	_state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port)
	with branch.agent():
		eventually(lambda: branch.last_report("Main gate").get("serial") == "HIK1")
		site_verbs.want_scan(branch.bridge, "t1", "127.0.0.1/32")
		eventually(lambda: "t1" in branch.bridge.found)
	(found,) = branch.bridge.found["t1"]["terminals"]
	assert (found["serial"], found["host"], found["port"]) == ("HIK1", "127.0.0.1", port)


def test_a_terminal_says_how_many_it_holds_and_is_read_again(branch: Branch) -> None:
	"""The site's nightly count, of a terminal that it cannot reach itself."""
	_state, port = branch.terminal("HIK1")
	branch.assign("Main gate", port)
	now = datetime.now(timezone.utc)
	days = [(now - timedelta(days=ago), now - timedelta(days=ago - 1)) for ago in (9, 2, 1)]
	with branch.agent():
		site_verbs.want_count(branch.bridge, "Main gate", "first", *days)
		eventually(lambda: "first" in branch.bridge.counted, "it has answered")
		told = branch.bridge.counted["first"]
		assert told["total"] is None
		assert told["read_again"] is None
		assert told["spans"][0] == {"there": 0}
		assert sum(each["there"] for each in told["spans"]) == PASSES
		site_verbs.want_count(branch.bridge, "Main gate", "second", *days[1:], again=True)
		eventually(lambda: "second" in branch.bridge.counted, "it was read again")
		assert branch.bridge.counted["second"]["read_again"] == PASSES
		eventually(lambda: branch.last_report("Main gate")["counted"] is None, "told once")
