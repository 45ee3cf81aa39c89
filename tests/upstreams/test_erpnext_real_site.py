"""The upstream in front of a real ERPNext/HRMS site; skipped unless one is named.

	ATTENDANCE_BRIDGE_SITE_URL=https://test.example.com ATTENDANCE_BRIDGE_SITE_KEY=… \
	ATTENDANCE_BRIDGE_SITE_SECRET=… ATTENDANCE_BRIDGE_SITE_TIMEZONE=Asia/Dubai pytest tests/upstreams

The user of the key needs the role HR User. A site for trials is meant: employees are created there, and
removed at the end with their check-ins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.upstream import CheckIn, Outcome
from attendance_bridge.upstreams.erpnext_rest import Upstream, inspection
from attendance_bridge.upstreams.erpnext_rest.config import Config
from tests.contracts.upstream_contract import (
	Held,
	Rig,
	UpstreamContract,
	assert_once_and_in_order,
	check_in,
	day,
	outcomes,
)
from tests.upstreams.real_site import (
	CHECKIN,
	EMPLOYEE,
	IS_NAMED,
	KEY,
	NONE_NAMED,
	SECRET,
	URL,
	ZONE,
	Site,
	Workplace,
)

pytestmark = pytest.mark.skipif(not IS_NAMED, reason=NONE_NAMED)


class RealSiteRig(Rig):
	def __init__(self, workplace: Workplace) -> None:
		self.workplace = workplace
		self.site = workplace.site
		self.employees = tuple(workplace.active)
		self._opened = contextlib.ExitStack()

	def upstream(self, **changes: Any) -> Upstream:
		options: dict[str, Any] = {
			"url": URL,
			"api_key": Secret(KEY),
			"api_secret": Secret(SECRET),
			"timezone": ZoneInfo(ZONE),
		}
		return self._opened.enter_context(contextlib.closing(Upstream(Config(**{**options, **changes}))))

	def stop(self) -> None:
		self._opened.close()
		self.site.remove_checkins(self.workplace.everybody)

	def held(self) -> Sequence[Held]:
		fields = ["employee", "time", "log_type", "device_id"]
		ours = [["employee", "in", self.workplace.everybody]]
		rows = self.site.rows(CHECKIN, fields, "creation asc, name asc", ours)
		return [
			Held(
				employee=row["employee"],
				moment=datetime.fromisoformat(row["time"])
				.replace(tzinfo=ZoneInfo(ZONE))
				.astimezone(timezone.utc),
				log_type=row["log_type"] or "",
				device_serial=row["device_id"] or "",
			)
			for row in rows
		]

	def people(self) -> Sequence[Person]:
		"""Everybody on the site, ours and others."""
		columns = {
			"employee": "name",
			"attendance_device_id": "attendance_device_id",
			"full_name": "employee_name",
			"status": "status",
			"department": "department",
			"designation": "designation",
			"company": "company",
			"branch": "branch",
			"shift": "default_shift",
		}
		rows = self.site.rows(EMPLOYEE, list(columns.values()), "name asc")
		return [Person(**{ours: row[theirs] or "" for ours, theirs in columns.items()}) for row in rows]

	def employee_refused(self) -> str:
		return self.workplace.inactive


@pytest.fixture(scope="module")
def workplace() -> Iterator[Workplace]:
	site = Site()
	workplace = Workplace(site)
	try:
		workplace.open()
		yield workplace
	finally:
		workplace.close()
		site.session.close()


@pytest.fixture
def rig(workplace: Workplace) -> Iterator[RealSiteRig]:
	rig = RealSiteRig(workplace)
	yield rig
	rig.stop()


class TestErpnextRestOnARealSite(UpstreamContract):
	@pytest.fixture
	def rig(self, workplace: Workplace) -> Iterator[RealSiteRig]:
		rig = RealSiteRig(workplace)
		yield rig
		rig.stop()


def days(rig: RealSiteRig, punches: int = 10) -> list[CheckIn]:
	return [one for employee in rig.employees[:5] for one in day(employee, punches)]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_each_check_in_arrives_once_however_many_lanes(rig: RealSiteRig, concurrency: int) -> None:
	batch = days(rig)
	upstream = rig.upstream(concurrency=concurrency)
	first = {receipt.punch_id: receipt for receipt in upstream.deliver(batch)}
	assert outcomes(batch, first.values()) == [Outcome.ACCEPTED] * len(batch)
	again = {receipt.punch_id: receipt for receipt in upstream.deliver(batch)}
	assert outcomes(batch, again.values()) == [Outcome.DUPLICATE] * len(batch)
	assert {key: receipt.reference for key, receipt in again.items()} == {
		key: receipt.reference for key, receipt in first.items()
	}
	assert_once_and_in_order(rig.held(), batch)


def test_of_what_is_in_doubt_only_what_is_missing_is_sent(rig: RealSiteRig) -> None:
	batch = days(rig)
	upstream = rig.upstream()
	list(upstream.deliver(batch[::2]))
	doubtful = [replace(one, in_doubt=True) for one in batch]
	assert outcomes(batch, upstream.deliver(doubtful)) == [Outcome.ACCEPTED] * len(batch)
	assert sorted(rig.held()) == sorted(
		Held(
			employee=one.employee,
			moment=one.punch.occurred_utc,
			log_type=one.log_type.value if one.log_type else "",
			device_serial=one.punch.device_serial,
		)
		for one in batch
	)


def test_refusals_have_their_reasons(rig: RealSiteRig) -> None:
	batch = [
		check_in(rig.employee_refused()),
		check_in("No Such 'Employee' \\ % é"),
		check_in(rig.employees[0]),
	]
	receipts = {receipt.punch_id: receipt for receipt in rig.upstream().deliver(batch)}
	assert outcomes(batch, receipts.values()) == [Outcome.REJECTED, Outcome.UNMAPPED, Outcome.ACCEPTED]
	assert receipts[batch[0].punch.punch_id].code == "InactiveEmployeeStatusError"


def test_device_ids_keep_their_zeros(rig: RealSiteRig, workplace: Workplace) -> None:
	known = {person.employee: person for person in rig.upstream().people()}
	ids = [known[employee].attendance_device_id for employee in workplace.active]
	assert ids == [f"{workplace.prefix}-{number:03}" for number in range(1, 7)]
	assert known[workplace.inactive].status == "Inactive"


def test_a_wrong_secret_sends_nothing(rig: RealSiteRig) -> None:
	upstream = rig.upstream(api_secret=Secret("0" * 15))
	for ask in (lambda: list(upstream.deliver(days(rig))), upstream.check, lambda: list(upstream.people())):
		with pytest.raises(UpstreamError) as caught:
			ask()
		assert caught.value.code is Code.AUTH_FAILED
	assert rig.held() == []


def test_another_time_zone_is_noticed(rig: RealSiteRig) -> None:
	# No zone has both of these hours.
	found = [rig.upstream(timezone=ZoneInfo(zone)).check().problems for zone in ("Asia/Tokyo", "UTC")]
	assert (inspection.TIME_ZONE_DIFFERS,) in found
