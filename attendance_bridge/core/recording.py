"""Recordings: a conversation with a terminal, and what our driver made of it, as one JSON file.

What an administrator downloads as diagnostics, what `devtools/record_device.py` writes and what the tests
replay are the same file, so that a bug report is a test. A `Tape` overhears a driver; the driver's `redact`
takes persons and secrets out of what was heard (only it knows where they stand in its protocol); `interview`
is what a terminal is asked, by whoever records and by whoever replays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from attendance_bridge.core import config as configuration
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Capability, DeviceInfo, Driver, Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.redact import Secret

FORMAT = 1
MAX_TEXT = 8 * 1024 * 1024
"""Characters of a recording that is read back."""

Exchange: TypeAlias = dict[str, Any]
"""One thing that was said, redacted, as JSON; its keys are the driver's."""

Step: TypeAlias = dict[str, Any]
"""One question of the interview and what the driver made of the answer: `ask`, and `answer` or `error`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
	"""How much of a terminal is recorded. A replay has to keep to the same."""

	pages: int = 2
	"""Pages of each reading of the log."""
	log_bytes: int = 4 + 4 * 3920
	"""Where a protocol hands over the whole log or nothing: bytes of its beginning that are taken. Four for
	the size, and whole records in every known layout."""


@dataclass(frozen=True, slots=True)
class Note:
	"""One thing that was overheard, as it was. Personal; not for showing."""

	kind: str
	facts: Mapping[str, Any] = field(repr=False)


class Tape:
	"""Overhears one conversation, up to a bound. What it holds is not redacted: its repr shows nothing."""

	MAX_BYTES: ClassVar[int] = 2 * 1024 * 1024

	def __init__(self, limits: Limits | None = None) -> None:
		self.limits = limits or Limits()
		self._notes: list[Note] = []
		self._bytes = 0

	def __repr__(self) -> str:
		return f"<Tape with {len(self._notes)} notes>"

	@property
	def notes(self) -> tuple[Note, ...]:
		return tuple(self._notes)

	@property
	def is_full(self) -> bool:
		"""Nothing more is noted; whoever asks the terminal should come to an end."""
		return self._bytes > self.MAX_BYTES

	def note(self, kind: str, **facts: Any) -> None:
		"""Keep it; never raises."""
		if not self.is_full:
			self._notes.append(Note(kind, facts))
			self._bytes += sum(len(fact) for fact in facts.values() if isinstance(fact, (bytes, str)))


@runtime_checkable
class Recordable(Protocol):
	"""What a driver has beyond `core.driver.Driver` if it can be recorded."""

	@property
	def config(self) -> Any:
		"""The configuration that it was made with."""

	def overhear(self, tape: Tape) -> None:
		"""Note on `tape` all that is said from now on. Call it before the first question."""

	def redact(self, notes: Iterable[Note], names: Pseudonyms) -> list[Exchange]:
		"""What may be told of what was overheard: without secrets, and with stand-ins for persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
	"""One conversation that may be shown to anybody. Fields as they stand in the file."""

	format: int = FORMAT
	driver: str
	"""Key of the driver."""
	app_version: str
	source: str
	"""What was recorded: "terminal", or "simulator"."""
	title: str = ""
	"""What is remarkable about it; empty for a download."""
	recorded_at: str
	"""ISO 8601, in UTC: the present moment of the whole conversation."""
	time_zone: str
	options: Mapping[str, Any]
	"""Of the driver, without secrets and without the address."""
	secrets: tuple[str, ...] = ()
	"""Names of the secret options that were set."""
	window: tuple[str, str]
	"""ISO 8601: from and to of what was counted and read by time."""
	limits: Limits
	exchanges: tuple[Exchange, ...]
	expected: tuple[Step, ...]

	@property
	def device(self) -> Mapping[str, Any]:
		"""What the terminal said of itself; empty if it did not come to that."""
		return next(
			(step["answer"] for step in self.expected if step["ask"] == "identify" and "answer" in step), {}
		)

	def asked_window(self) -> Window:
		return Window(
			start=datetime.fromisoformat(self.window[0]), end=datetime.fromisoformat(self.window[1])
		)

	def to_text(self) -> str:
		"""The file: one exchange and one step a line."""
		shown = asdict(self)
		lists = {name: shown.pop(name) for name in ("exchanges", "expected")}
		head = json.dumps(shown, indent=1, ensure_ascii=True)[:-2]
		blocks = [f' "{name}": [\n{_lines(items)}\n ]' for name, items in lists.items()]
		return ",\n".join([head, *blocks]) + "\n}\n"

	@classmethod
	def from_text(cls, text: str) -> Recording:
		"""
		:raises ValueError: it is no recording, or one of another format.
		"""
		if len(text) > MAX_TEXT:
			raise ValueError("too long for a recording")
		try:
			found = json.loads(text)
		except RecursionError:
			raise ValueError("no recording") from None
		if not isinstance(found, dict) or found.get("format") != FORMAT:
			raise ValueError(f"no recording of format {FORMAT}")
		known = {each.name for each in fields(cls)}
		if found.keys() - known or not _is_sound(found):
			raise ValueError("a recording with unknown, missing or wrong fields")
		values: dict[str, Any] = {
			name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
		}
		return cls(**{**values, "limits": Limits(**found["limits"])})


def _lines(items: Iterable[object]) -> str:
	return ",\n".join("  " + json.dumps(item, ensure_ascii=True) for item in items)


def _is_sound(found: Mapping[str, Any]) -> bool:
	texts = ("driver", "app_version", "source", "recorded_at", "time_zone")
	steps = found.get("expected")
	limits = found.get("limits")
	return (
		all(isinstance(found.get(name), str) for name in texts)
		and isinstance(found.get("options"), dict)
		and isinstance(found.get("exchanges"), list)
		and all(isinstance(exchange, dict) for exchange in found["exchanges"])
		and isinstance(steps, list)
		and all(isinstance(step, dict) and isinstance(step.get("ask"), str) for step in steps)
		and isinstance(found.get("window"), list)
		and [type(end) for end in found["window"]] == [str, str]
		and isinstance(limits, dict)
		and limits.keys() == {"pages", "log_bytes"}
		and all(isinstance(limit, int) for limit in limits.values())
	)


# --- the interview


_GOES_ON = frozenset({Code.NOT_SUPPORTED, Code.DEVICE_ERROR, Code.FORBIDDEN})
"""Answers after which the terminal still answers; after everything else the interview ends."""


STOPPED = "stopped"
"""A step that is no question: time or room was up."""


def interview(
	driver: Driver, window: Window, limits: Limits, *, stop: Callable[[], bool] = lambda: False
) -> list[Step]:
	"""Ask a terminal what a report has to show: who it is, its clock, a few pages of its log, its count.

	Nothing is changed on the terminal. Errors end up in their step; the steps hold persons' data until
	`redact_steps`.

	:param stop: asked before every question; True ends the interview.
	"""
	able = driver.spec.capabilities
	questions: list[tuple[str, Callable[[Step], None]]] = [("identify", lambda step: _identify(driver, step))]
	if Capability.READ_CLOCK in able:
		questions.append(("read_clock", lambda step: _read_clock(driver, step)))
	if Capability.WINDOW in able:
		questions.append(("fetch_window", lambda step: _fetch(driver, window, limits, stop, step)))
	questions.append(("fetch", lambda step: _fetch(driver, None, limits, stop, step)))
	if Capability.COUNT in able:
		questions.append(("count", lambda step: step.update(answer=driver.count(window))))
	steps: list[Step] = []
	for name, ask in questions:
		if stop():
			steps.append({"ask": STOPPED})
			break
		steps.append({"ask": name})
		try:
			ask(steps[-1])
		except DeviceError as error:
			steps[-1]["error"] = _told(error)
			if error.code not in _GOES_ON:
				break
	return steps


def _identify(driver: Driver, step: Step) -> None:
	step["answer"] = asdict(driver.identify())


def _read_clock(driver: Driver, step: Step) -> None:
	reading = driver.read_clock()
	step["answer"] = {
		"device_time": reading.device_time.isoformat(),
		"offset": reading.offset.total_seconds(),
	}


def _fetch(
	driver: Driver, window: Window | None, limits: Limits, stop: Callable[[], bool], step: Step
) -> None:
	pages: list[Any] = []
	step["answer"] = pages
	for page in driver.fetch(START, window):
		pages.append(_page(page))
		if len(pages) >= limits.pages or stop():
			return


def _page(page: Page) -> dict[str, Any]:
	return {
		"read": page.read,
		"expected": page.expected,
		"punches": [_punch(punch) for punch in page.punches],
		"unreadable": [row.reason for row in page.unreadable],
	}


def _punch(punch: Punch) -> list[Any]:
	wall = punch.wall_time.isoformat()
	return [
		punch.device_user_id,
		wall,
		punch.occurred_at.fold,
		punch.verify_mode.value,
		punch.device_key.value,
	]


_TOLD = frozenset(
	[
		"reason",
		"what",
		"path",
		"status",
		"status_code",
		"sub_status",
		"limit",
		"records",
		"size",
		"missing_bytes",
		"response",
		"pages",
		"unlock_seconds",
		"attempts_left",
	]
)
"""Details of an error that say nothing of a person, a secret or an address."""


def _told(error: DeviceError) -> dict[str, Any]:
	details = {key: value for key, value in error.details.items() if key in _TOLD}
	return {"code": error.code.value, "retryable": error.retryable, "details": details}


def failure_of(steps: Iterable[Step]) -> DeviceError | None:
	"""The error that ended an interview, without the details that must not be told; None if none did."""
	last = list(steps)[-1:]
	error = last[0].get("error") if last else None
	if error is None or Code(error["code"]) in _GOES_ON:
		return None
	return DeviceError(Code(error["code"]), retryable=error["retryable"], **error["details"])


# --- from what was heard to what may be told


def make_recording(
	conversation: Recordable,
	tape: Tape,
	steps: Iterable[Step],
	/,
	*,
	key: bytes,
	**about: Any,
) -> Recording:
	"""The recording of an interview.

	:param key: random bytes, kept nowhere else.
	:param about: the other fields of `Recording`.
	"""
	notes, steps = tape.notes, list(steps)
	first = Pseudonyms(key)
	conversation.redact(notes, first)
	redact_steps(steps, first)
	# A second time, now that all originals are known, so that none comes up as another one's stand-in.
	names = Pseudonyms(key, avoid=first.originals())
	exchanges = conversation.redact(notes, names)
	return Recording(
		options=told_options(conversation.config),
		secrets=set_secrets(conversation.config),
		limits=tape.limits,
		exchanges=tuple(exchanges),
		expected=tuple(redact_steps(steps, names)),
		**about,
	)


def redact_steps(steps: Iterable[Step], names: Pseudonyms) -> list[Step]:
	"""What the driver made of it, with the stand-ins that the exchanges have."""
	return [_redact_step(step, names) for step in steps]


def _redact_step(step: Step, names: Pseudonyms) -> Step:
	told = dict(step)
	if step["ask"] == "identify" and "answer" in step:
		info = DeviceInfo(**step["answer"])
		told["answer"] = {**step["answer"], "serial": names.of(info.serial), "name": names.of(info.name)}
	elif step["ask"].startswith("fetch"):
		told["answer"] = [
			{**page, "punches": [[names.of(user_id), *rest] for user_id, *rest in page["punches"]]}
			for page in step["answer"]
		]
	return told


HOST = "192.0.2.1"
"""Stands for the address of the terminal; RFC 5737 keeps it for documentation."""

_STAND_INS = {"host": HOST, "port": None, "user": "user"}
"""Options that say where a terminal is and who logs in."""


def told_options(config: Any) -> dict[str, Any]:
	"""The options of a driver as they may be told: no secret, no address, no account."""
	told: dict[str, Any] = {}
	for name in configuration.describe(type(config)):
		value = getattr(config, name)
		if name in _STAND_INS:
			value = _STAND_INS[name]
		if value is not None and not isinstance(value, Secret):
			told[name] = value.value if isinstance(value, Enum) else value
	return told


def set_secrets(config: Any) -> tuple[str, ...]:
	"""Which secret options are set."""
	return tuple(
		name for name in configuration.describe(type(config)) if _is_set_secret(getattr(config, name))
	)


def _is_set_secret(value: object) -> bool:
	return isinstance(value, Secret) and bool(value)
