"""Punches entered by hand for programs, below /api/v1. Every agent has these calls; one whose check-ins go
elsewhere refuses them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint
from marshmallow import Schema, fields, validate

from attendance_bridge.core.direction import LogType
from attendance_bridge.edge.messages import ENTERING
from attendance_bridge.edge.web.access.guard import caller
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.api.endpoint import ApiError, endpoint
from attendance_bridge.edge.web.api.schemas import reason
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.workdays.by_hand import ByHand, EnteringError, Problem, Result
from attendance_bridge.stores.agreements import MAX_WHY, Author

blueprint = Blueprint("workday_punch_calls", __name__, url_prefix="/api/v1")

_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_WALL_TIME = rf"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]{_CLOCK}\Z"
_UNKNOWN = frozenset({Problem.NO_SUCH_PERSON, Problem.NO_SUCH_PUNCH})
_REFUSED = (
	"not to be done, for the reason that the code says; or check-ins go to another system (kept_elsewhere)"
)


class Why(Schema):
	why = reason(MAX_WHY)


class EnteredBody(Why):
	employee = fields.String(required=True, validate=validate.Length(1, 140))
	wall_time = fields.String(
		required=True,
		validate=validate.Regexp(_WALL_TIME),
		metadata={"description": "2026-03-02 17:00:00, as the clock at the place of the agent showed it"},
	)
	fold = fields.Integer(
		strict=True,
		validate=validate.OneOf([0, 1]),
		metadata={
			"description": "which pass through the repeated hour of a clock change; only asked for in one"
		},
	)
	log_type = fields.String(required=True, validate=validate.OneOf([each.value for each in LogType]))


class EnteredAnswer(Schema):
	punch_id = fields.UUID(required=True)
	news = fields.Boolean(
		required=True, metadata={"description": "false: the same was asked for before; nothing has changed"}
	)
	counted = fields.Boolean(required=True, metadata={"description": "it counts for the working day by now"})
	sentence = fields.String(required=True)


@blueprint.post("/entered-punches")
@endpoint(
	Scope.CORRECT,
	summary="Enter a punch that somebody has missed; the same again is the same punch",
	body=EnteredBody(),
	answer=EnteredAnswer(),
	errors={404: "no such person", 409: _REFUSED},
)
def enter_punch(
	*, employee: str, wall_time: str, log_type: str, why: str, fold: int | None = None
) -> dict[str, Any]:
	def act(by_hand: ByHand, by: Author) -> Result:
		try:
			moment = datetime.fromisoformat(wall_time)
		except ValueError:
			raise EnteringError(Problem.TIME) from None
		return by_hand.enter(employee, moment, LogType(log_type), why, by, fold=fold)

	return _told(_done(act))


@blueprint.post("/entered-punches/<uuid:punch_id>/withdrawal")
@endpoint(
	Scope.CORRECT,
	summary="Withdraw a punch that was entered by hand; it stays on record",
	body=Why(),
	answer=EnteredAnswer(),
	errors={404: "no such punch", 409: _REFUSED},
)
def withdraw_punch(*, punch_id: UUID, why: str) -> dict[str, Any]:
	return _told(_done(lambda by_hand, by: by_hand.withdraw(punch_id, why, by)))


def _done(act: Callable[[ByHand, Author], Result]) -> Result:
	here = services()
	if here.by_hand is None:
		raise ApiError(409, "kept_elsewhere", sentence=ENTERING["kept_elsewhere"])
	try:
		return act(here.by_hand, Author(who=caller().who, address=caller().address, at=here.now()))
	except EnteringError as error:
		status, code = 404 if error.problem in _UNKNOWN else 409, error.problem.value
		raise ApiError(status, code, sentence=error.words) from None


def _told(result: Result) -> dict[str, Any]:
	return {
		"punch_id": result.punch_id,
		"news": result.is_news,
		"counted": result.is_counted,
		"sentence": ENTERING[result.said],
	}
