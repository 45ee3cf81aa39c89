"""The questions about where check-ins go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from attendance_bridge.cli.init.questions import Questions, missing
from attendance_bridge.core.errors import BridgeError, Code, UpstreamError
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.upstream import UpstreamInfo
from attendance_bridge.edge.messages import sentence, spell_problems
from attendance_bridge.edge.setup.site import (
	BRIDGE,
	NO_TIME_ZONE,
	REST,
	SiteFinding,
	check_address,
	look_at_site,
)
from attendance_bridge.upstreams.local_ledger import read_people


@dataclass(frozen=True, kw_only=True)
class SiteAnswers:
	"""What the options said."""

	url: str | None
	local: bool
	people: Path | None
	key_file: Path | None
	secret_file: Path | None
	kind: str | None
	zone: ZoneInfo | None
	ca_file: Path | None


@dataclass(frozen=True, kw_only=True)
class Receiver:
	"""Where check-ins go."""

	table: dict[str, object]
	zone: str = ""
	"""Time zone of the site; empty where there is none, or it does not tell."""
	assigns: bool = False
	"""Whether it says by itself which terminals are read."""


def ask_receiver(questions: Questions, given: SiteAnswers) -> Receiver:
	"""
	:raises BridgeError: nobody can be asked again, and the site does not answer, does not take us, or
		check-ins would not arrive there as they should.
	"""
	questions.heading("Where check-ins go")
	url = None if given.local else given.url
	if url is None and not given.local:
		if not questions.asks:
			raise missing("--site (or --local)")
		url = questions.text(
			"--site", "Address of your ERPNext site (empty: keep them on this machine)", default=""
		)
	if not url:
		return _ask_ledger(questions, given)
	address, ca_file = _ask_address(questions, given, url), str(given.ca_file or "")
	while True:
		table = _ask_keys(questions, given, address, ca_file)
		finding = _look(questions, given, table)
		if finding is not None:
			return _receiver(questions, table, finding)


def _ask_ledger(questions: Questions, given: SiteAnswers) -> Receiver:
	table: dict[str, object] = {"kind": "local_ledger"}
	people = str(given.people.absolute()) if given.people else ""
	if not people and questions.asks:
		people = questions.text(
			"--people", "CSV file with your people (empty: every id is a person)", default=""
		)

	def attempt(path: str) -> None:
		if path:
			count = len(read_people(Path(path)))
			questions.right(f"{count} people are in it.")

	questions.until(lambda: people, attempt, repeat=False)
	if people:
		table["people_file"] = str(Path(people).absolute())
	questions.right("Check-ins stay in the database of this machine.")
	return Receiver(table=table)


def _ask_address(questions: Questions, given: SiteAnswers, first: str) -> str:
	answers = iter([first])

	def ask() -> str:
		answer = next(answers, None)
		if answer is None:
			answer = questions.text("--site", "Address of your ERPNext site")
		return answer if "://" in answer else f"https://{answer}"

	def attempt(url: str) -> None:
		questions.right(f"{check_address(url, str(given.ca_file or ''))} answers.")

	return questions.until(ask, attempt, repeat=given.url is None).rstrip("/")


def _ask_keys(questions: Questions, given: SiteAnswers, url: str, ca_file: str) -> dict[str, object]:
	key = questions.secret("--site-key-file", "API key of the agent's user (not shown)", given.key_file)
	secret = questions.secret("--site-secret-file", "API secret of that user (not shown)", given.secret_file)
	table: dict[str, object] = {"url": url, "api_key": key or Secret(""), "api_secret": secret or Secret("")}
	return {**table, "ca_file": ca_file} if ca_file else table


def _look(questions: Questions, given: SiteAnswers, table: dict[str, object]) -> SiteFinding | None:
	"""What the site is to us; None when the keys are to be asked for again."""
	again = questions.asks and given.key_file is None
	try:
		finding = look_at_site(table, kind=given.kind or "", zone=given.zone)
		if NO_TIME_ZONE in finding.problems and questions.asks:
			finding = look_at_site(table, kind=REST, zone=_ask_zone(questions))
	except BridgeError as error:
		if questions.untested and given.kind is not None:
			questions.note(f"{sentence(error)} It is written down untested.")
			return SiteFinding(
				kind=given.kind, info=UpstreamInfo(label=""), zone=given.zone.key if given.zone else ""
			)
		if not again:
			raise
		questions.wrong(sentence(error))
		return None
	if finding.problems and not questions.untested:
		if NO_TIME_ZONE in finding.problems:
			raise missing("--site-timezone (the site does not tell its own)")
		problem = UpstreamError(Code.NOT_READY, url=table["url"], problems=finding.problems)
		if not again:
			raise problem
		questions.wrong(sentence(problem))
		return None
	return finding


def _ask_zone(questions: Questions) -> ZoneInfo:
	while True:
		name = questions.text(
			"--site-timezone", "Time zone in the site's System Settings, such as Asia/Dubai"
		)
		try:
			return ZoneInfo(name)
		except (ValueError, OSError, LookupError):
			questions.wrong(f"{name} is no time zone.")


def _receiver(questions: Questions, table: dict[str, object], finding: SiteFinding) -> Receiver:
	who = f"; we are {finding.info.user} there" if finding.info.user else ""
	if finding.kind == BRIDGE:
		questions.right(f"Attendance Bridge is on the site ({finding.info.version}){who}.")
		assigned = ", ".join(finding.terminals) or "none yet (Device Configuration, field Edge Agent)"
		questions.right(f"Terminals that the site assigns to this agent: {assigned}.")
		return Receiver(table={"kind": BRIDGE, **table}, zone=finding.zone, assigns=True)
	questions.right(
		f"A site without Attendance Bridge ({finding.info.version}){who}: its own REST API is used."
	)
	questions.right(f"Time zone of the site: {finding.zone}.")
	if finding.problems:
		questions.note(spell_problems(finding.problems))
	return Receiver(table={"kind": REST, "timezone": finding.zone, **table}, zone=finding.zone)
