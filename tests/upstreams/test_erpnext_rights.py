"""Where a site says yes and means something else: rights and time zones, as seen on a real v15 site."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.upstream import Outcome
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState, verbs
from attendance_bridge.upstreams.erpnext_rest import Upstream, inspection
from attendance_bridge.upstreams.erpnext_rest.config import Config
from tests.contracts.upstream_contract import attempt, check_in, outcomes

EMPLOYEE, COLLEAGUE = "HR-EMP-00001", "HR-EMP-00002"


@pytest.fixture
def site() -> Iterator[FrappeSite]:
	state = SiteState(time_zone="Asia/Dubai", roles={"HR User"})
	verbs.hire(state, EMPLOYEE, device_id="1")
	verbs.hire(state, COLLEAGUE, device_id="2")
	with FrappeSite(state) as running:
		yield running


@pytest.fixture
def connect(site: FrappeSite) -> Iterator[Callable[..., Upstream]]:
	with contextlib.ExitStack() as opened:

		def connect(zone: str = "Asia/Dubai") -> Upstream:
			config = Config(
				url=site.url,
				api_key=Secret(site.state.api_key),
				api_secret=Secret(site.state.api_secret),
				timezone=ZoneInfo(zone),
				timeout=10.0,
			)
			return opened.enter_context(contextlib.closing(Upstream(config)))

		yield connect


def test_a_check_in_under_another_time_than_its_own_is_not_taken_for_accepted(
	site: FrappeSite, connect: Callable[..., Upstream]
) -> None:
	site.state.roles = {"Employee"}
	batch = [check_in(EMPLOYEE), check_in(EMPLOYEE, 60)]
	receipts, error = attempt(connect(), batch)
	assert outcomes(batch, receipts.values()) == [Outcome.RETRY, None]
	assert error is not None
	assert (error.code, error.retryable) == (Code.FORBIDDEN, False)
	(wrong,) = site.state.checkins
	assert error.details["field"] == "time"
	assert error.details["entered_as"] == wrong["name"], "somebody has to remove it"

	site.state.roles = {"HR User"}
	assert outcomes(batch, connect().deliver(batch)) == [Outcome.ACCEPTED] * 2


def test_an_employee_hidden_by_user_permissions_does_not_stop_the_others(
	site: FrappeSite, connect: Callable[..., Upstream]
) -> None:
	site.state.user_permissions = {EMPLOYEE}
	batch = [check_in(COLLEAGUE), check_in(EMPLOYEE)]
	receipts, error = attempt(connect(), batch)
	assert error is None
	assert outcomes(batch, receipts.values()) == [Outcome.REJECTED, Outcome.ACCEPTED]
	assert receipts[batch[0].punch.punch_id].code == "PermissionError"


@pytest.mark.parametrize("roles", [{"HR User"}, {"HR User", "System Manager"}])
@pytest.mark.parametrize(
	("profile", "configured", "problems"),
	[
		("Asia/Karachi", "Asia/Dubai", ()),
		("Asia/Karachi", "Asia/Karachi", (inspection.TIME_ZONE_DIFFERS,)),
		("", "Asia/Karachi", (inspection.TIME_ZONE_DIFFERS,)),
	],
)
def test_the_time_zone_of_the_users_profile_is_not_that_of_the_site(
	site: FrappeSite,
	connect: Callable[..., Upstream],
	roles: set[str],
	profile: str,
	configured: str,
	problems: tuple[str, ...],
) -> None:
	site.state.roles = roles
	site.state.user_time_zone = profile
	assert connect(configured).check().problems == problems
