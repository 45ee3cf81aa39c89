"""Puts the pages together. Each blueprint is a file beside this one."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from attendance_bridge.edge.web import (
	board,
	factors,
	kiosk,
	pairing,
	people,
	person_days,
	problems,
	punches,
	records,
	session,
	status,
	streams,
	workday_calls,
	workday_punch_calls,
	workday_punches,
	workdays,
)
from attendance_bridge.edge.web.access import guard
from attendance_bridge.edge.web.api import calls
from attendance_bridge.edge.web.languages import translate
from attendance_bridge.edge.web.services import Services

MAX_BODY = 64 * 1024
"""Bytes; a view that takes pictures raises `request.max_content_length` for itself."""

_HEADERS = {
	"Content-Security-Policy": (
		"default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'; "
		"base-uri 'none'; form-action 'self'; object-src 'none'"
	),
	"Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
	"X-Content-Type-Options": "nosniff",
	# Not no-referrer: with it a browser sends "Origin: null" along with every form, our login too.
	"Referrer-Policy": "same-origin",
	"Cache-Control": "no-store",
}


def _blueprints(services: Services) -> list[Blueprint]:
	"""Those of the parts that this agent has."""
	found = [board.blueprint, session.blueprint, calls.blueprint, workday_punch_calls.blueprint]
	if services.roster is not None:
		found.append(people.blueprint)
	if services.log is not None:
		found.append(punches.blueprint)
	if services.status is not None:
		found.append(status.blueprint)
	if services.pairing is not None:
		found.append(pairing.blueprint)
	if services.workdays is not None:
		found += [workdays.blueprint, person_days.blueprint, workday_calls.blueprint]
		found.append(workday_punches.blueprint)
	if services.vision is not None:
		found.append(factors.blueprint)
	if services.kiosk is not None:
		found.append(kiosk.blueprint)
	if services.enrollment is not None:
		# What it needs is heavy, and not there on a machine that only relays terminals.
		from attendance_bridge.edge.web import enrollment

		found.append(enrollment.blueprint)
	return found


def make_app(services: Services) -> Flask:
	"""Wire the pages."""
	app = Flask(__name__)
	app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
	app.extensions["attendance_bridge"] = services
	app.jinja_env.globals["agent_name"] = services.agent_name
	app.jinja_env.globals["t"] = translate
	app.jinja_env.filters["at_place"] = records.at_place
	streams.install(app)
	problems.install(app)
	guard.install(app, services.access, services.trusted_hosts)
	blueprints = _blueprints(services)
	app.jinja_env.globals["parts"] = frozenset(blueprint.name for blueprint in blueprints)
	for blueprint in blueprints:
		app.register_blueprint(blueprint)

	@app.after_request
	def harden(response: Response) -> Response:
		for name, value in _HEADERS.items():
			response.headers.setdefault(name, value)
		return response

	return app
