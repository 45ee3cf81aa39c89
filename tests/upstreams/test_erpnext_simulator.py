"""Two halves that were written apart from the same facts: the client and the simulated site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.redact import Secret
from attendance_bridge.simulators.frappe_site import verbs
from attendance_bridge.simulators.frappe_site.service import FrappeSite
from attendance_bridge.simulators.frappe_site.state import FAULTS, LASTING, SiteState
from attendance_bridge.upstreams.erpnext_rest import Upstream, inspection
from attendance_bridge.upstreams.erpnext_rest.config import Config
from tests.contracts.upstream_contract import (
	Held,
	Rig,
	UpstreamContract,
	assert_once_and_in_order,
	attempt,
	check_in,
	day,
	outcomes,
	still_open,
)

SITE_ZONE = ZoneInfo("America/New_York")


class SimulatorRig(Rig):
	def __init__(self) -> None:
		self.state = SiteState(time_zone=SITE_ZONE.key)
		for number, employee in enumerate(self.employees):
			verbs.hire(self.state, employee, device_id=f"{number:03}")
		verbs.hire(self.state, self.employee_refused(), status="Inactive")
		self.site = FrappeSite(self.state)
		self.site.start()
		self._upstreams: list[Upstream] = []

	def upstream(self, **changes: Any) -> Upstream:
		options: dict[str, Any] = {
			"url": self.site.url,
			"api_key": Secret(self.state.api_key),
			"api_secret": Secret(self.state.api_secret),
			"timezone": SITE_ZONE,
			"timeout": 0.5,
			"page_length": 10,
		}
		upstream = Upstream(Config(**{**options, **changes}))
		self._upstreams.append(upstream)
		return upstream

	def stop(self) -> None:
		for upstream in self._upstreams:
			upstream.close()
		self.site.stop()

	def held(self) -> Sequence[Held]:
		return [_held(row) for row in self.state.checkins]

	def people(self) -> Sequence[Person]:
		known = [
			Person(
				employee=employee,
				attendance_device_id=f"{number:03}",
				full_name=f"Employee {employee}",
				status="Active",
			)
			for number, employee in enumerate(self.employees)
		]
		refused = self.employee_refused()
		return [*known, Person(employee=refused, full_name=f"Employee {refused}", status="Inactive")]

	def employee_refused(self) -> str:
		return "HR-EMP-00099"


def _held(row: dict[str, object]) -> Held:
	time = row["time"]
	assert isinstance(time, datetime)
	return Held(
		employee=str(row["employee"]),
		moment=time.replace(tzinfo=SITE_ZONE).astimezone(timezone.utc),
		log_type=str(row["log_type"] or ""),
		device_serial=str(row["device_id"] or ""),
	)


@pytest.fixture
def rig() -> Iterator[SimulatorRig]:
	rig = SimulatorRig()
	yield rig
	rig.stop()


class TestErpnextRestOnTheSimulator(UpstreamContract):
	@pytest.fixture
	def rig(self) -> Iterator[SimulatorRig]:
		rig = SimulatorRig()
		yield rig
		rig.stop()


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - LASTING))
def test_each_check_in_arrives_once_through_a_fault(rig: SimulatorRig, fault: str) -> None:
	rig.state.slow_seconds = 5.0
	verbs.set_faults(rig.state, fault, every=3, limit=4 if fault == "slow" else None)
	sent = [one for employee in rig.employees for one in day(employee, 3)]
	deliver_all(rig, sent)
	assert rig.state.counters[f"fault:{fault}"] > 0
	assert_once_and_in_order(rig.held(), sent)


def test_each_check_in_arrives_once_through_all_faults_at_once(rig: SimulatorRig) -> None:
	# One fault per request at most would be too kind: different rhythms meet.
	verbs.set_faults(rig.state, *(set(FAULTS) - LASTING - {"slow"}), "translated", every=5)
	sent = [one for employee in rig.employees for one in day(employee, 4)]
	deliver_all(rig, sent)
	assert_once_and_in_order(rig.held(), sent)


def deliver_all(rig: SimulatorRig, sent: Sequence[Any]) -> None:
	upstream = rig.upstream()
	waiting = list(sent)
	for _round in range(400):
		receipts, _error = attempt(upstream, waiting)
		waiting = list(still_open(waiting, receipts))
		if not waiting:
			return
	raise AssertionError(f"{len(waiting)} check-ins never arrived")


def test_an_expired_token_stops_everything(rig: SimulatorRig) -> None:
	verbs.set_faults(rig.state, "token-expired")
	receipts, error = attempt(rig.upstream(), [check_in(employee) for employee in rig.employees])
	assert receipts == {}
	assert error is not None
	assert (error.code, error.retryable) == (Code.AUTH_FAILED, False)


def test_lost_rights_reject_nobody(rig: SimulatorRig) -> None:
	verbs.set_faults(rig.state, "no-permission")
	receipts, error = attempt(rig.upstream(), [check_in(employee) for employee in rig.employees])
	assert receipts == {}
	assert error is not None
	assert error.code is Code.FORBIDDEN
	with pytest.raises(UpstreamError):
		list(rig.upstream().people())
	found = rig.upstream().check().problems
	assert inspection.EMPLOYEES_UNREADABLE in found
	assert inspection.CHECK_INS_NOT_ALLOWED in found


def test_outcomes_in_another_language(rig: SimulatorRig) -> None:
	verbs.set_faults(rig.state, "translated")
	batch = [check_in(rig.employees[0]), check_in("HR-EMP-77777"), check_in(rig.employee_refused())]
	upstream = rig.upstream()
	plain = outcomes(batch, upstream.deliver(batch))
	again = outcomes(batch, upstream.deliver(batch))
	assert [outcome.value if outcome else "" for outcome in plain] == ["accepted", "unmapped", "rejected"]
	assert [outcome.value if outcome else "" for outcome in again] == ["duplicate", "unmapped", "rejected"]


def test_check_sees_another_time_zone(rig: SimulatorRig) -> None:
	assert rig.upstream(timezone=ZoneInfo("Asia/Dubai")).check().problems == (inspection.TIME_ZONE_DIFFERS,)
	assert rig.upstream(timezone=ZoneInfo("US/Eastern")).check().problems == ()
