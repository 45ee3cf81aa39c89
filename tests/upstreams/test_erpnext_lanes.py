from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from typing import Any, cast

import pytest

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.erpnext_rest.lanes import FIRST_CALM, LONGEST_CALM, Lanes, Step, Width
from tests.contracts.upstream_contract import check_in, day

NO_CLIENT = cast(Client, None)
PEOPLE = [f"E{number:02}" for number in range(20)]


def accepted(check_in: CheckIn) -> Step:
	return Step(receipt=Receipt(punch_id=check_in.punch.punch_id, outcome=Outcome.ACCEPTED))


def run(batch: list[CheckIn], send: Any, lanes: int, width: Width | None = None) -> list[Receipt]:
	work = Lanes(batch, send, width or Width(lanes), stopped=lambda: False)
	return list(work.run([NO_CLIENT] * lanes))


@pytest.mark.parametrize("lanes", [1, 2, 16])
def test_everybody_is_served_in_their_own_order(lanes: int) -> None:
	served: dict[str, list[CheckIn]] = defaultdict(list)
	batch = [one for employee in PEOPLE for one in day(employee, 5)]

	def send(_client: Client, one: CheckIn) -> Step:
		served[one.employee].append(one)
		return accepted(one)

	assert len(run(batch, send, lanes)) == len(batch)
	assert served == {employee: day(employee, 5) for employee in PEOPLE}


def test_lanes_close_down_to_one_and_nobody_is_left_out() -> None:
	"""A conflict in the middle: the lanes that leave put the rest of their people back."""
	lock = threading.Lock()
	width = Width(8)
	served: dict[str, list[CheckIn]] = defaultdict(list)
	sent_after_conflict: Counter[int] = Counter()
	batch = [one for employee in PEOPLE for one in day(employee, 10)]

	def send(_client: Client, one: CheckIn) -> Step:
		with lock:
			if width.allowed == 1:
				sent_after_conflict[threading.get_ident()] += 1
			served[one.employee].append(one)
			if sum(map(len, served.values())) == 30:
				width.conflicted()
		time.sleep(0.001)  # gives the other lanes their turn
		return accepted(one)

	assert len(run(batch, send, 8, width)) == len(batch)
	assert served == {employee: day(employee, 10) for employee in PEOPLE}
	# A lane that was about to send when the conflict came sends that one; only the last lane goes on.
	assert len([lane for lane, count in sent_after_conflict.items() if count > 1]) == 1


def test_an_error_in_one_lane_stops_all_and_keeps_their_receipts() -> None:
	batch = [one for employee in PEOPLE for one in day(employee, 10)]
	sent: list[CheckIn] = []
	error = UpstreamError(Code.AUTH_FAILED)

	def send(_client: Client, one: CheckIn) -> Step:
		sent.append(one)
		return Step(error=error) if one.employee == PEOPLE[3] else accepted(one)

	receipts: list[Receipt] = []
	with pytest.raises(UpstreamError) as caught:
		receipts.extend(Lanes(batch, send, Width(4), stopped=lambda: False).run([NO_CLIENT] * 4))
	assert caught.value is error
	assert len(sent) < len(batch)


def test_a_defect_is_not_swallowed() -> None:
	def send(_client: Client, _one: CheckIn) -> Step:
		raise KeyError("defect")

	with pytest.raises(KeyError):
		run([check_in("E01")], send, 2)


def test_leaving_early_ends_the_threads() -> None:
	batch = [one for employee in PEOPLE for one in day(employee, 10)]
	delivery = Lanes(batch, lambda _client, one: accepted(one), Width(4), stopped=lambda: False).run(
		[NO_CLIENT] * 4
	)
	next(delivery)
	delivery.close()  # type: ignore[attr-defined]  # it is a generator
	assert [thread for thread in threading.enumerate() if thread.name == "check-in lane"] == []


def test_all_lanes_are_tried_again_after_calm_and_ever_later() -> None:
	width = Width(4)
	assert width.allowed == 4
	calm = FIRST_CALM
	for _again in range(12):
		width.conflicted()
		width.conflicted()
		for _ in range(calm - 1):
			width.went_well()
			assert width.allowed == 1
		width.went_well()
		assert width.allowed == 4
		calm = min(calm * 2, LONGEST_CALM)


def test_one_lane_stays_one() -> None:
	width = Width(1)
	width.conflicted()
	for _ in range(FIRST_CALM * 3):
		width.went_well()
	assert width.allowed == 1
