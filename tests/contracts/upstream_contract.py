"""What every receiver must be able to do: inherit a contract and supply a rig.

`UpstreamContract` is for all; `RemoteUpstreamContract` adds what can go wrong on the way to another machine.
A rig is a receiver that a test can look into and disturb. The contract knows nothing about its protocol; it
counts check-ins.
"""

from __future__ import annotations

import logging
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.punch import DeviceKey, Punch
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt, Upstream

TERMINAL_ZONE = ZoneInfo("Asia/Karachi")
"""Not the zone of any rig's site: whoever forgets to convert is an hour off."""
MORNING = datetime(2026, 11, 2, 8, 0, tzinfo=TERMINAL_ZONE)


@dataclass(frozen=True, order=True)
class Held:
	"""A check-in as the receiver holds it."""

	employee: str
	moment: datetime
	"""Aware, in UTC."""
	log_type: str
	device_serial: str


class Fault(Enum):
	"""What a receiver can be made to do instead of its duty."""

	REFUSES_TOKEN = "refuses_token"
	OVERLOADED = "overloaded"
	"""Asks to come back in 7 seconds."""
	BREAKS = "breaks"
	"""Fails on a check-in and keeps nothing of it."""
	CONFLICT = "conflict"
	"""Keeps nothing of a check-in because it met another one."""
	MAINTENANCE = "maintenance"
	"""Takes nothing, and says that it is not about the check-in."""
	CUT_BEFORE = "cut_before"
	"""Closes the connection without an answer, having kept nothing."""
	CUT_AFTER = "cut_after"
	"""The same, having kept the check-in."""
	GATEWAY_AFTER = "gateway_after"
	"""Keeps the check-in; something in between answers with an error page."""
	SILENT_AFTER = "silent_after"
	"""Keeps the check-in and does not answer."""
	PORTAL = "portal"
	"""Something in between answers with a page of its own, as if all were well; nothing is kept."""


CERTAIN = (Fault.REFUSES_TOKEN, Fault.OVERLOADED, Fault.MAINTENANCE)
"""About the receiver as a whole, and nothing was kept."""
DOUBTFUL = (Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.SILENT_AFTER, Fault.PORTAL)
"""The sender cannot know whether the check-in was kept."""
AMBIGUOUS_BUT_KEPT = (Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.SILENT_AFTER)


class Rig(ABC):
	"""One receiver that knows `employees`, all of them active."""

	employees: tuple[str, ...] = tuple(f"HR-EMP-{number:05}" for number in range(1, 7))

	@abstractmethod
	def upstream(self) -> Upstream:
		"""The upstream under test, in front of this receiver; the rig closes it."""

	@abstractmethod
	def held(self) -> Sequence[Held]:
		"""What the receiver holds, in the order in which it came."""

	@abstractmethod
	def people(self) -> Sequence[Person]:
		"""Whom the receiver knows."""

	@abstractmethod
	def employee_refused(self) -> str:
		"""Somebody whose check-ins the receiver refuses if it refuses any."""


class RemoteRig(Rig):
	@abstractmethod
	def fail(self, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
		"""After `after` requests, for ever or for `times` of them; the last call counts.

		Reading fails only for REFUSES_TOKEN, OVERLOADED and MAINTENANCE.
		"""

	@abstractmethod
	def work(self) -> None:
		"""End every fault."""

	@abstractmethod
	def go_down(self) -> None:
		"""Nothing listens any more."""

	@abstractmethod
	def posts(self) -> int:
		"""How many check-ins have been sent here, whatever became of them."""

	@abstractmethod
	def scramble_texts(self) -> None:
		"""From now on, every message for people reads differently; status and types stay."""

	@abstractmethod
	def secrets(self) -> Sequence[str]:
		"""What must not be seen anywhere."""

	@abstractmethod
	def upstream_with_wrong_secret(self) -> Upstream: ...

	def upstream_in_parts(self, size: int) -> Upstream:
		"""One that sends at most `size` check-ins in one request."""
		return self.upstream()


_KEYS = {
	LogType.IN: DeviceKey.CHECK_IN,
	LogType.OUT: DeviceKey.CHECK_OUT,
	None: DeviceKey.UNDEFINED,
}


def check_in(employee: str, minutes: float = 0, log_type: LogType | None = LogType.IN) -> CheckIn:
	"""A check-in on one terminal, some minutes after the morning began."""
	return CheckIn(
		punch=Punch(
			device_serial="DS-K1T-0001",
			device_user_id=employee[-3:],
			occurred_at=MORNING + timedelta(minutes=minutes),
			# Whoever decides by itself comes to the same log_type.
			device_key=_KEYS[log_type],
		),
		employee=employee,
		log_type=log_type,
	)


def day(employee: str, punches: int = 4) -> list[CheckIn]:
	"""One person's day: IN and OUT in turn, an hour apart."""
	turns = (LogType.IN, LogType.OUT)
	return [check_in(employee, number * 60, turns[number % 2]) for number in range(punches)]


def as_held(check_in: CheckIn) -> Held:
	return Held(
		employee=check_in.employee,
		moment=check_in.punch.occurred_utc,
		log_type=check_in.log_type.value if check_in.log_type else "",
		device_serial=check_in.punch.device_serial,
	)


def outcomes(batch: Sequence[CheckIn], receipts: Iterable[Receipt]) -> list[Outcome | None]:
	"""By check-in of the batch; None where there is no receipt."""
	by_id = {receipt.punch_id: receipt.outcome for receipt in receipts}
	return [by_id.get(check_in.punch.punch_id) for check_in in batch]


def attempt(upstream: Upstream, batch: Sequence[CheckIn]) -> tuple[dict[UUID, Receipt], UpstreamError | None]:
	"""Deliver as `core.deliver.drain` does: what came before an error is kept."""
	receipts: dict[UUID, Receipt] = {}
	try:
		for receipt in upstream.deliver(batch):
			assert receipt.punch_id not in receipts, "two receipts for one check-in"
			receipts[receipt.punch_id] = receipt
	except UpstreamError as error:
		return receipts, error
	return receipts, None


def assert_once(held: Sequence[Held], sent: Sequence[CheckIn]) -> None:
	"""Every check-in is held exactly once."""
	assert sorted(held) == sorted(map(as_held, sent))


def assert_once_and_in_order(held: Sequence[Held], sent: Sequence[CheckIn]) -> None:
	"""Every check-in is held exactly once, and nobody's day is shuffled."""
	assert_once(held, sent)
	for employee in {check_in.employee for check_in in sent}:
		moments = [entry.moment for entry in held if entry.employee == employee]
		assert moments == sorted(moments)


class UpstreamContract(ABC):
	"""Not collected itself; a subclass named `Test…` is."""

	judges_check_ins: bool = True
	"""False for a receiver that takes every check-in of everybody."""
	decides: bool = False
	"""True for a receiver that goes by the punch alone: the id on the terminal, the key that was pressed. It
	brings a person's punches into their order itself."""

	@pytest.fixture
	@abstractmethod
	def rig(self) -> Rig | Iterator[Rig]: ...

	def assert_arrived(self, rig: Rig, sent: Sequence[CheckIn]) -> None:
		"""Every check-in is held once, in each person's order if that is the sender's care."""
		(assert_once if self.decides else assert_once_and_in_order)(rig.held(), sent)

	def test_every_check_in_arrives_once_with_its_receipt(self, rig: Rig) -> None:
		batch = [one for employee in rig.employees for one in day(employee)]
		receipts = list(rig.upstream().deliver(batch))
		assert outcomes(batch, receipts) == [Outcome.ACCEPTED] * len(batch)
		assert len(receipts) == len(batch)
		assert all(receipt.reference for receipt in receipts)
		self.assert_arrived(rig, batch)

	def test_the_same_batch_twice_leaves_each_check_in_once(self, rig: Rig) -> None:
		batch = [one for employee in rig.employees for one in day(employee)]
		upstream = rig.upstream()
		first = {receipt.punch_id: receipt.reference for receipt in upstream.deliver(batch)}
		second = list(upstream.deliver(batch))
		assert outcomes(batch, second) == [Outcome.DUPLICATE] * len(batch)
		assert {receipt.punch_id: receipt.reference for receipt in second} == first
		self.assert_arrived(rig, batch)

	def test_a_check_in_in_doubt_that_never_arrived_is_sent(self, rig: Rig) -> None:
		batch = [replace(one, in_doubt=True) for one in day(rig.employees[0])]
		assert outcomes(batch, rig.upstream().deliver(batch)) == [Outcome.ACCEPTED] * len(batch)
		self.assert_arrived(rig, batch)

	def test_an_unknown_person_does_not_sink_the_others(self, rig: Rig) -> None:
		batch = [
			check_in(rig.employees[0]),
			check_in("HR-EMP-99999"),
			check_in("HR-EMP-99999", 1),
			check_in(rig.employees[1]),
		]
		unknown = Outcome.UNMAPPED if self.judges_check_ins else Outcome.ACCEPTED
		receipts = rig.upstream().deliver(batch)
		assert outcomes(batch, receipts) == [Outcome.ACCEPTED, unknown, unknown, Outcome.ACCEPTED]
		assert len(rig.held()) == (2 if self.judges_check_ins else 4)

	def test_one_bad_check_in_does_not_sink_its_neighbours(self, rig: Rig) -> None:
		batch = [check_in(rig.employees[0]), check_in(rig.employee_refused()), check_in(rig.employees[1])]
		receipts = list(rig.upstream().deliver(batch))
		bad = Outcome.REJECTED if self.judges_check_ins else Outcome.ACCEPTED
		assert outcomes(batch, receipts) == [Outcome.ACCEPTED, bad, Outcome.ACCEPTED]
		assert all(receipt.code for receipt in receipts if receipt.outcome is Outcome.REJECTED)

	def test_no_direction_is_no_obstacle(self, rig: Rig) -> None:
		batch = [check_in(rig.employees[0], log_type=None)]
		assert outcomes(batch, rig.upstream().deliver(batch)) == [Outcome.ACCEPTED]
		assert [entry.log_type for entry in rig.held()] == ["IN" if self.decides else ""]

	def test_nothing_to_deliver(self, rig: Rig) -> None:
		assert list(rig.upstream().deliver([])) == []

	def test_it_knows_its_people(self, rig: Rig) -> None:
		assert sorted(rig.upstream().people(), key=_by_employee) == sorted(rig.people(), key=_by_employee)

	def test_a_healthy_receiver_has_no_problems(self, rig: Rig) -> None:
		info = rig.upstream().check()
		assert info.problems == ()
		assert info.label == type(rig.upstream()).spec.label
		assert rig.held() == []

	def test_closing_twice_is_harmless(self, rig: Rig) -> None:
		upstream = rig.upstream()
		list(upstream.deliver(day(rig.employees[0])))
		upstream.close()
		upstream.close()


def _by_employee(person: Person) -> str:
	return person.employee


class RemoteUpstreamContract(UpstreamContract):
	sends_batches: bool = False
	"""True if many check-ins travel in one request, and share its fate."""

	@pytest.fixture
	@abstractmethod
	def rig(self) -> Iterator[RemoteRig]: ...

	@pytest.mark.parametrize("fault", CERTAIN)
	def test_a_receiver_that_takes_nothing_is_left_alone_at_once(self, rig: RemoteRig, fault: Fault) -> None:
		batch = [one for employee in rig.employees for one in day(employee)]
		rig.fail(fault)
		receipts, error = attempt(rig.upstream(), batch)
		assert receipts == {}
		assert error is not None
		assert error.retryable == (fault is not Fault.REFUSES_TOKEN)
		assert rig.held() == []
		assert rig.posts() <= len(rig.employees)  # nobody was tried twice

	def test_a_wrong_secret_is_said_so(self, rig: RemoteRig) -> None:
		with pytest.raises(UpstreamError) as caught:
			list(rig.upstream_with_wrong_secret().deliver(day(rig.employees[0])))
		assert caught.value.code is Code.AUTH_FAILED
		assert not caught.value.retryable
		assert rig.posts() <= 1

	def test_a_token_refused_in_the_middle_keeps_what_was_receipted(self, rig: RemoteRig) -> None:
		batch = day(rig.employees[0], 6)
		upstream = rig.upstream_in_parts(2)
		rig.fail(Fault.REFUSES_TOKEN, after=1 if self.sends_batches else 2)
		receipts, error = attempt(upstream, batch)
		assert _code(error) is Code.AUTH_FAILED
		assert outcomes(batch, receipts.values()) == [Outcome.ACCEPTED] * 2 + [None] * 4
		rig.work()
		again = list(upstream.deliver(batch))
		assert outcomes(batch, again) == [Outcome.DUPLICATE] * 2 + [Outcome.ACCEPTED] * 4
		self.assert_arrived(rig, batch)

	def test_an_overloaded_receiver_says_when_to_come_back(self, rig: RemoteRig) -> None:
		rig.fail(Fault.OVERLOADED)
		_receipts, error = attempt(rig.upstream(), day(rig.employees[0]))
		assert error is not None
		assert error.code is Code.RATE_LIMITED
		assert error.details["retry_after"] == 7

	@pytest.mark.parametrize("fault", [Fault.BREAKS, Fault.CONFLICT])
	def test_after_a_failure_a_person_waits_and_the_others_go_on(self, rig: RemoteRig, fault: Fault) -> None:
		rig.fail(fault, times=1)
		batch = [one for employee in rig.employees[:3] for one in day(employee)]
		upstream = rig.upstream()
		receipts, error = attempt(upstream, batch)
		if self.sends_batches:
			self._assert_the_rest_arrives_later(rig, upstream, batch, receipts)
			return
		assert error is None
		failed = [receipt for receipt in receipts.values() if receipt.outcome is Outcome.RETRY]
		assert len(failed) == 1
		assert failed[0].code
		assert not failed[0].in_doubt
		assert Counter(outcomes(batch, receipts.values())) == Counter(
			{Outcome.ACCEPTED: 8, Outcome.RETRY: 1, None: 3}
		)
		again = [one for one in batch if _is_open(receipts.get(one.punch.punch_id))]
		assert outcomes(again, upstream.deliver(again)) == [Outcome.ACCEPTED] * 4
		self.assert_arrived(rig, batch)

	def _assert_the_rest_arrives_later(
		self, rig: RemoteRig, upstream: Upstream, batch: Sequence[CheckIn], receipts: dict[UUID, Receipt]
	) -> None:
		"""A whole request failed: nobody knows about which check-in it was, so none is refused for it."""
		assert set(outcomes(batch, receipts.values())) <= {Outcome.ACCEPTED, Outcome.RETRY, None}
		again = list(still_open(batch, receipts))
		assert set(outcomes(again, upstream.deliver(again))) <= {Outcome.ACCEPTED}
		self.assert_arrived(rig, batch)

	@pytest.mark.parametrize("fault", DOUBTFUL)
	def test_an_ambiguous_answer_is_said_to_be_one(self, rig: RemoteRig, fault: Fault) -> None:
		batch = day(rig.employees[0])
		rig.fail(fault, times=1)
		receipts, error = attempt(rig.upstream(), batch)
		under_way = 4 if self.sends_batches else 1
		expected = [Outcome.RETRY] * under_way + [None] * (4 - under_way)
		assert outcomes(batch, receipts.values()) == expected
		assert all(receipt.in_doubt and receipt.code for receipt in receipts.values())
		assert error is not None
		assert error.retryable
		assert rig.posts() == 1

	@pytest.mark.parametrize("fault", AMBIGUOUS_BUT_KEPT)
	def test_what_is_in_doubt_is_looked_up_and_not_posted_twice(self, rig: RemoteRig, fault: Fault) -> None:
		"""Or sent again, where the receiver recognises it."""
		batch = day(rig.employees[0], 1 if self.sends_batches else 4)
		rig.fail(fault, times=1)
		upstream = rig.upstream()
		attempt(upstream, batch)
		posted = rig.posts()
		doubtful = replace(batch[0], in_doubt=True)
		receipts = list(upstream.deliver([doubtful]))
		assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED]
		assert receipts[0].reference
		assert rig.posts() - posted == (1 if upstream.spec.idempotent else 0)
		assert list(rig.held()) == [as_held(batch[0])]

	def test_a_direction_inferred_anew_does_not_post_twice(self, rig: RemoteRig) -> None:
		upstream = rig.upstream()
		list(upstream.deliver([check_in(rig.employees[0], log_type=LogType.IN)]))
		turned = replace(check_in(rig.employees[0], log_type=LogType.OUT), in_doubt=True)
		assert outcomes([turned], upstream.deliver([turned])) == [Outcome.ACCEPTED]
		assert len(rig.held()) == 1

	def test_a_receiver_that_is_down_has_received_nothing(self, rig: RemoteRig) -> None:
		upstream = rig.upstream()
		rig.go_down()
		receipts, error = attempt(upstream, day(rig.employees[0]))
		assert receipts == {}
		assert error is not None
		assert error.code is Code.UNREACHABLE
		assert error.retryable

	@pytest.mark.parametrize("fault", CERTAIN)
	def test_half_a_list_of_people_is_none(self, rig: RemoteRig, fault: Fault) -> None:
		rig.fail(fault)
		with pytest.raises(UpstreamError):
			list(rig.upstream().people())

	def test_outcomes_do_not_depend_on_texts(self, rig: RemoteRig) -> None:
		known, refused = rig.employees[0], rig.employee_refused()
		batch = [
			check_in(known),
			check_in(known, 60, LogType.OUT),
			check_in("HR-EMP-99999"),
			check_in(refused),
			check_in(rig.employees[1]),
		]
		upstream = rig.upstream()
		list(upstream.deliver(batch))
		plain = list(upstream.deliver(batch))
		rig.scramble_texts()
		scrambled = list(upstream.deliver(batch))
		assert outcomes(batch, scrambled) == outcomes(batch, plain)
		assert {receipt.punch_id: receipt.code for receipt in scrambled} == {
			receipt.punch_id: receipt.code for receipt in plain
		}
		assert outcomes(batch, plain) == [
			Outcome.DUPLICATE,
			Outcome.DUPLICATE,
			Outcome.UNMAPPED,
			Outcome.REJECTED,
			Outcome.DUPLICATE,
		]

	@pytest.mark.parametrize("fault", [Fault.REFUSES_TOKEN, Fault.BREAKS, Fault.CONFLICT])
	def test_failures_do_not_depend_on_texts(self, rig: RemoteRig, fault: Fault) -> None:
		one, other = day(rig.employees[0]), day(rig.employees[1])
		upstream = rig.upstream()
		rig.fail(fault, times=1)
		plain, plain_error = attempt(upstream, one)
		rig.scramble_texts()
		rig.fail(fault, times=1)
		scrambled, scrambled_error = attempt(upstream, other)
		assert outcomes(other, scrambled.values()) == outcomes(one, plain.values())
		assert _code(scrambled_error) == _code(plain_error)

	@pytest.mark.parametrize("seed", range(4))
	def test_whatever_happens_on_the_way_every_check_in_arrives_once_and_in_order(
		self, rig: RemoteRig, seed: int
	) -> None:
		chance = random.Random(seed)
		sent = [one for employee in rig.employees for one in day(employee, 6)]
		waiting = list(sent)
		upstream = rig.upstream()
		quick = [fault for fault in Fault if fault is not Fault.SILENT_AFTER]
		for _round in range(500):
			rig.fail(chance.choice(quick), times=chance.randrange(4))
			receipts, _error = attempt(upstream, waiting)
			waiting = list(still_open(waiting, receipts))
			if not waiting:
				break
		assert waiting == []
		self.assert_arrived(rig, sent)

	def test_no_secret_is_shown(self, rig: RemoteRig, caplog: pytest.LogCaptureFixture) -> None:
		caplog.set_level(logging.DEBUG)
		shown: list[str] = []
		for fault in Fault:
			rig.fail(fault, times=1)
			upstream = rig.upstream()
			receipts, error = attempt(upstream, day(rig.employees[0]))
			shown += [repr(upstream), repr(vars(upstream)), repr(receipts), str(error), repr(error)]
			shown.append(repr(getattr(error, "details", "")))
			cause = error
			while cause is not None:
				shown.append(f"{cause!r} {cause}")
				cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
		shown += [record.getMessage() for record in caplog.records]
		for secret in rig.secrets():
			assert not [text for text in shown if secret in text]


def _is_open(receipt: Receipt | None) -> bool:
	return receipt is None or receipt.outcome is Outcome.RETRY


def still_open(sent: Sequence[CheckIn], receipts: dict[UUID, Receipt]) -> Iterator[CheckIn]:
	"""What an outbox would send again, with the doubt that it has to remember."""
	for one in sent:
		receipt = receipts.get(one.punch.punch_id)
		if receipt is None:
			yield one
		elif receipt.outcome is Outcome.RETRY:
			yield replace(one, in_doubt=receipt.in_doubt)


def _code(error: UpstreamError | None) -> Code | None:
	return error.code if error else None
