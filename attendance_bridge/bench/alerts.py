"""One alert a cause: looked for every five minutes and at contacts, told by Frappe's Notifications, and over.

What is wrong is said by `core.causes`, and whether anybody is told by `core.alerting`; here the two meet the
site. Whom and how is up to the Notifications "Attendance Bridge Alert", "… All-clear" and "… Daily Summary".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import alert_words, devices, figures, health, held_shifts, moments, news
from attendance_bridge.core import causes
from attendance_bridge.core.alerting import Alert, Event, Patience, Step, step
from attendance_bridge.core.causes import Cause, Finding

logger = logging.getLogger(__name__)

DOCTYPE = "Attendance Bridge Alert"

OPENED, CLEARED, SUMMARY = "alert_opened", "alert_cleared", "daily_summary_due"
"""Methods by which the Notifications are called."""

_LABELS = {
	Cause.DEVICE_DARK: "Terminal Dark",
	Cause.WRONG_PASSWORD: "Wrong Password",
	Cause.WRONG_DEVICE: "Wrong Terminal",
	Cause.CLOCK_OFF: "Clock Off",
	Cause.NEARLY_FULL: "Log Nearly Full",
	Cause.COUNT_MISMATCH: "Punches Missing",
	Cause.BACKLOG: "Backlog",
	Cause.UNMAPPED: "Unmapped IDs",
	Cause.SHIFT_HELD: "Shift Held",
	Cause.AGENT_GONE: "Agent Gone",
	Cause.DISK_FULL: "Disk Nearly Full",
}
"""The choices of the field `cause`."""

_OF_DEVICE = frozenset(
	{
		Cause.DEVICE_DARK,
		Cause.WRONG_PASSWORD,
		Cause.WRONG_DEVICE,
		Cause.CLOCK_OFF,
		Cause.NEARLY_FULL,
		Cause.COUNT_MISMATCH,
	}
)
_AT_CONTACT = frozenset({Cause.WRONG_PASSWORD, Cause.WRONG_DEVICE})
"""Causes that one contact is enough to tell of; the others are seen when all are looked at side by side."""
_SURE_AT_ONCE = _AT_CONTACT | {Cause.NEARLY_FULL, Cause.COUNT_MISMATCH}
"""Causes that no second look makes better. Silence is none: after a pause of the site itself everybody has
been silent, until they were asked again."""

_LOCK = "attendance_bridge:alerts"
_SAVEPOINT = "attendance_bridge_alert"
_SUMMARY_OF = timedelta(days=1)
_MOST_LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
	"""What one look has found."""

	findings: list[Finding]
	unknown: frozenset[str]
	"""Keys of causes that it could say nothing of: their alerts stay as they are."""


def look(at: datetime | None = None) -> None:
	"""Scheduled every five minutes: look at everything. Commits.

	:param at: aware; now by default.
	"""
	at = at or moments.utc_now()

	def act() -> None:
		view = everything(at)
		_go_through(view.findings, lambda key: key not in view.unknown, at)

	_alone(act)


def look_at(device: str, at: datetime | None = None) -> None:
	"""After a contact with a terminal, or a failure of one: what it tells. Commits."""
	at = at or moments.utc_now()

	rules = health.limits()
	rows = [row for row in health.rows([device]) if row.enabled]
	facts = health.device_facts(rows, rules, at)
	found = [
		finding
		for each in facts
		for finding in causes.of_device(each, rules, at)
		if finding.cause in _AT_CONTACT
	]
	unknown = {cause for each in facts for cause in causes.unknown_of_device(each)}
	sure = {f"{cause.value}:{device}" for cause in _AT_CONTACT - unknown}
	if found or frappe.db.exists(DOCTYPE, {"open_key": ("in", sorted(sure) or [""])}):
		_alone(lambda: _go_through(found, sure.__contains__, at))


def everything(at: datetime) -> View:
	"""All that is wrong at an aware moment."""
	rules = health.limits()
	found: list[Finding] = []
	unknown: set[str] = set()
	facts = health.device_facts(health.rows(), rules, at)
	for each in facts:
		found += causes.of_device(each, rules, at)
		unknown |= _keys(causes.unknown_of_device(each), each.name)
	agents = health.agents()
	for agent in agents:
		of_agent = health.agent_findings(agent, rules, at)
		found += of_agent
		unknown |= _keys(causes.unknown_of_agent(of_agent), agent.name)
	found += causes.of_backlog(_waiting(), rules)
	found += causes.of_unmapped(_unmapped(), rules)
	held = held_shifts.held(at)
	found += causes.of_shifts(
		((each.shift, moments.from_site(each.until) if each.until else None) for each in held), rules, at
	)
	watched = {
		Cause.DEVICE_DARK: sum(not each.behind for each in facts),
		Cause.AGENT_GONE: len(agents),
		Cause.CLOCK_OFF: len(facts),
		Cause.SHIFT_HELD: held_shifts.count_judged(),
	}
	told, together = causes.together(found, watched)
	return View(findings=told, unknown=frozenset(unknown | together))


def _keys(found: Iterable[Cause], subject: str) -> set[str]:
	return {f"{cause.value}:{subject}" for cause in found}


def send_summary() -> None:
	"""Scheduled every morning: what yesterday brought, unless nobody wants to hear it."""
	settings = frappe.get_doc(devices.SETTINGS)
	wanted = settings.daily_summary is None or bool(settings.daily_summary)
	if wanted and frappe.db.exists(devices.DOCTYPE, {"enabled": 1}):
		_notify(settings, SUMMARY)


def summary(at: datetime | None = None) -> list[str]:
	"""Yesterday in sentences: punches and what became of them, what is held, what is open."""
	yesterday = moments.to_site(at or moments.utc_now()).date() - _SUMMARY_OF
	counts = figures.statuses_of(yesterday)
	lines = [alert_words.summary_of_punches(yesterday, counts)]
	lines += [each.why for each in held_shifts.held(at)][:_MOST_LINES]
	lines += frappe.get_all(
		DOCTYPE, {"status": "Open"}, pluck="what", order_by="opened_at", limit_page_length=_MOST_LINES
	)
	return lines


def _alone(act: Callable[[], None]) -> None:
	"""One look at a time; whoever comes second leaves it to the first."""
	lock = f"{_LOCK}:{frappe.conf.db_name}"[:64]
	(taken,) = frappe.db.sql("SELECT GET_LOCK(%s, 0)", lock)[0]
	if not taken:
		return
	try:
		# What the look before has written is to be seen.
		frappe.db.commit()  # nosemgrep
		act()
		# The lock is let go of next: what is behind it must be there by then.
		frappe.db.commit()  # nosemgrep
	finally:
		frappe.db.sql("SELECT RELEASE_LOCK(%s)", lock)


def _go_through(findings: Iterable[Finding], is_sure: Callable[[str], bool], at: datetime) -> None:
	"""One step of each alert that is there or that is due. One that cannot be kept stops no other.

	:param is_sure: whether this look would have found the cause with a key if it were there.
	"""
	found = {finding.key: finding for finding in findings}
	# By its subject, which follows when a document is renamed.
	kept = {f"{row.open_key.partition(':')[0]}:{row.subject or ''}": row for row in _kept()}
	over = [key for key in kept if key not in found and is_sure(key)]
	for key in (*found, *over):
		frappe.db.savepoint(_SAVEPOINT)
		try:
			_take_step(key, kept.get(key), found.get(key), at)
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			raise
		except Exception as error:
			frappe.db.rollback(save_point=_SAVEPOINT)
			frappe.clear_messages()
			logger.error("an alert is not kept: %s", key, exc_info=error)


def _kept() -> list[Any]:
	rows: list[Any] = frappe.get_all(
		DOCTYPE,
		{"open_key": ("is", "set")},
		[
			"name",
			"open_key",
			"subject",
			"first_noticed",
			"last_noticed",
			"gone_since",
			"opened_at",
			"notified_at",
		],
	)
	return rows


def _take_step(key: str, row: Any, finding: Finding | None, at: datetime) -> None:
	result = step(
		_alert(row) if row else None,
		finding is not None,
		at,
		_patience(Cause(key.partition(":")[0])),
		told_before=_told_before(key),
	)
	if result.event is Event.FORGOTTEN:
		frappe.db.delete(DOCTYPE, {"name": row.name})
	elif result.alert is not None:
		_keep(row, finding, key, result, at)


def _keep(row: Any, finding: Finding | None, key: str, result: Step, at: datetime) -> None:
	document = frappe.get_doc(DOCTYPE, row.name) if row else frappe.new_doc(DOCTYPE)
	if finding is not None:
		document.update(_words(finding))
	alert = result.alert
	if alert is None:
		return
	is_over = result.event is Event.CLEARED
	document.update(
		{
			"cause_key": key,
			"open_key": None if is_over else key,
			"status": "Cleared" if is_over else "Open" if alert.is_open() else "Watching",
			"first_noticed": _site(alert.first_seen),
			"last_noticed": _site(alert.last_seen),
			"gone_since": _site(alert.gone_since),
			"opened_at": _site(alert.opened),
			"notified_at": _site(alert.notified),
			"cleared_at": _site(at) if is_over else None,
			"all_clear_at": _site(at) if is_over and result.notify else None,
		}
	)
	# What it is about may have been deleted meanwhile.
	document.flags.ignore_links = True
	document.save(ignore_permissions=True)
	if result.event is not Event.NOTHING:
		news.tell(news.What.ALERTS)
	if result.notify:
		_notify(document, CLEARED if is_over else OPENED)


def _notify(document: Any, method: str) -> None:
	"""Have Frappe's Notifications sent; a template that somebody has broken breaks no look."""
	frappe.db.savepoint("attendance_bridge_notify")
	try:
		document.run_method(method)
	except Exception as error:
		frappe.db.rollback(save_point="attendance_bridge_notify")
		frappe.clear_messages()
		logger.error("nobody was told of %s", document.name, exc_info=error)


def _words(finding: Finding) -> dict[str, Any]:
	about = (
		devices.DOCTYPE
		if finding.cause in _OF_DEVICE
		else "Shift Type"
		if finding.cause is Cause.SHIFT_HELD
		else "Edge Agent"
	)
	label = _LABELS[finding.cause]
	return {
		"cause": label,
		"subject_type": about if finding.subject else None,
		"subject": finding.subject or None,
		"title": alert_words.title(label, finding.subject),
		"what": alert_words.sentence(finding),
		"advice": alert_words.advice(finding),
	}


def _alert(row: Any) -> Alert:
	return Alert(
		first_seen=moments.from_site(row.first_noticed),
		last_seen=moments.from_site(row.last_noticed),
		gone_since=_aware(row.gone_since),
		opened=_aware(row.opened_at),
		notified=_aware(row.notified_at),
	)


def _told_before(key: str) -> datetime | None:
	told = frappe.db.get_value(
		DOCTYPE,
		{"cause_key": key, "status": "Cleared", "notified_at": ("is", "set")},
		"notified_at",
		order_by="notified_at desc",
	)
	return _aware(told)


def _patience(cause: Cause) -> Patience:
	hours = frappe.get_cached_doc(devices.SETTINGS).quiet_hours
	patience = Patience()
	if hours is not None:
		patience = replace(patience, quiet=timedelta(hours=int(hours)))
	return replace(patience, opens_after=timedelta(0)) if cause in _SURE_AT_ONCE else patience


def _waiting() -> int:
	((count,),) = frappe.db.sql(
		"SELECT COUNT(*) FROM `tabPunch Log` WHERE `status` IN ('Received', 'Pending')"
	)
	return int(count)


def _unmapped() -> int:
	return figures.count_unmapped_ids()


def _aware(value: datetime | None) -> datetime | None:
	return moments.from_site(value) if value else None


def _site(moment: datetime | None) -> datetime | None:
	return moments.to_site(moment) if moment else None
