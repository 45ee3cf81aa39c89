"""The site's own pages, which a browser asks for.

To a client of the API they matter in one thing: each carries `frappe.boot`, and in it the time zone of the
site, which the API tells System Managers only.
"""

from __future__ import annotations

import json

from attendance_bridge.simulators.frappe_site.documents import Documents
from attendance_bridge.simulators.frappe_site.wire import Answer, html_page

_FOR_USERS = {"/me": 403, "/app": 301}
"""Path → what a guest is answered."""
_FOR_ALL = frozenset({"", "/", "/about", "/contact", "/index"})


def page(path: str, documents: Documents) -> Answer:
	"""One page, as far as its status and its boot data go."""
	is_guest = documents.user == "Guest"
	if path == "/login":
		return _website_page(200, documents) if is_guest else _redirect("/me")
	if path in _FOR_USERS:
		status = _FOR_USERS[path] if is_guest else 200
		return _redirect(f"/login?redirect-to={path}") if status == 301 else _website_page(status, documents)
	return _website_page(200 if path in _FOR_ALL else 404, documents)


def _redirect(location: str) -> Answer:
	return Answer(
		status=301, body=b"", content_type="text/html; charset=utf-8", headers=(("Location", location),)
	)


def _website_page(status: int, documents: Documents) -> Answer:
	state = documents.state
	user_zone = "" if documents.user == "Guest" else state.user_time_zone
	boot = {
		"lang": "en",
		"sitename": state.host_name,
		"time_zone": {"system": state.time_zone, "user": user_zone or state.time_zone},
	}
	return html_page(status, script=f"\t\tfrappe.boot = {json.dumps(boot, indent=1, sort_keys=True)}\n")
