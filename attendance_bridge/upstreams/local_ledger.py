"""The local ledger as a receiver: a site without any server keeps its check-ins on this machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, ConfigError, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.ports import Ledger
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt, UpstreamInfo, UpstreamSpec

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_PEOPLE = 200_000
MAX_FIELD_LENGTH = 140

_NEEDED = ("employee", "attendance_device_id")
_COLUMNS = (*_NEEDED, "full_name", "status", "department", "designation", "company", "branch", "shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Options of `[upstream]` with `kind = "local_ledger"`."""

	people_file: str = option(
		"",
		help="CSV file with a header line: employee, attendance_device_id and, if wanted, "
		"full_name, status, department, designation, company, branch, shift (one of [[shifts]]); "
		"empty: every id on a terminal is a person",
	)


class Upstream:
	"""Enters check-ins in an injected ledger. Entering one twice leaves one."""

	spec: ClassVar[UpstreamSpec] = UpstreamSpec(label="Local ledger", config=Config, idempotent=True)

	def __init__(
		self,
		config: Config,
		*,
		ledger: Ledger,
		people: Iterable[Person] | None = None,
		shifts: Collection[str] = (),
	) -> None:
		"""
		:param people: who there is; None: as `config.people_file` says.
		:param shifts: see `read_people`.
		:raises ConfigError: the file cannot be used.
		"""
		self._config = config
		self._ledger = ledger
		self._people = None if people is None else tuple(people)
		self._shifts = shifts
		self._read_people()

	def deliver(self, batch: Sequence[CheckIn]) -> Iterator[Receipt]:
		"""See `core.upstream.Upstream.deliver`; a batch is entered whole or not at all.

		:raises StoreError: the ledger failed, and holds nothing of the batch.
		"""
		if not batch:
			return
		for check_in, is_new in zip(batch, self._ledger.record(batch), strict=True):
			punch_id = check_in.punch.punch_id
			yield Receipt(
				punch_id=punch_id,
				outcome=Outcome.ACCEPTED if is_new else Outcome.DUPLICATE,
				reference=str(punch_id),
			)

	def people(self) -> Iterator[Person]:
		"""See `core.upstream.Upstream.people`. The file is read anew each time, so that it can be edited."""
		try:
			people = self._read_people()
		except ConfigError as error:
			raise UpstreamError(error.code, retryable=True, **error.details) from None
		yield from people

	def check(self) -> UpstreamInfo:
		"""See `core.upstream.Upstream.check`."""
		for _person in self.people():
			pass
		return UpstreamInfo(label=self.spec.label)

	def close(self) -> None:
		"""Nothing to let go of: the ledger belongs to who handed it in."""

	def _read_people(self) -> tuple[Person, ...]:
		if self._people is not None:
			return self._people
		file = self._config.people_file
		return read_people(Path(file), self._shifts) if file else ()


def read_people(path: Path, shifts: Collection[str] = ()) -> tuple[Person, ...]:
	"""Read a list of people: CSV in UTF-8, with a header line, separated by commas or semicolons.

	Values are taken as they stand: "007" is not "7", and a blank belongs to the id.

	:param shifts: the names that may stand in the column shift; none where no shifts are counted here, and
		the column means nothing.
	:raises ConfigError: UNREADABLE_FILE, MISSING_KEY (a column) or BAD_VALUE.
	"""
	text = _read_text(path)
	header = text.partition("\n")[0]
	if not header.strip():
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why="the file has no header line")
	# Spreadsheets in countries with a decimal comma write semicolons.
	delimiter = ";" if ";" in header and "," not in header else ","
	reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
	try:
		_check_header(reader.fieldnames or (), path)
		people = tuple(_people(reader, path, shifts))
	except csv.Error as error:
		raise ConfigError(
			Code.BAD_VALUE, path=f"{path}: line {reader.reader.line_num}", expected=f"CSV ({error})"
		) from None
	if len(people) > MAX_PEOPLE:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=f"more than {MAX_PEOPLE} people")
	return people


def _read_text(path: Path) -> str:
	try:
		with path.open("rb") as file:
			content = file.read(MAX_FILE_BYTES + 1)
	except (OSError, ValueError) as error:
		why = getattr(error, "strerror", None) or "not a file name"
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=why) from None
	if len(content) > MAX_FILE_BYTES:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=f"larger than {MAX_FILE_BYTES} bytes")
	try:
		return content.decode("utf-8-sig")
	except UnicodeDecodeError:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why="not UTF-8 text") from None


def _check_header(columns: Sequence[str], path: Path) -> None:
	for column in columns:
		if column not in _COLUMNS:
			raise ConfigError(
				Code.BAD_VALUE,
				path=f"{path}: column {column[:80]!r}",
				expected=f"one of {', '.join(_COLUMNS)}",
			)
	if len(set(columns)) < len(columns):
		raise ConfigError(
			Code.BAD_VALUE, path=f"{path}: line 1", expected="a header line that names each column once"
		)
	for column in _NEEDED:
		if column not in columns:
			raise ConfigError(Code.MISSING_KEY, path=f"{path}: column {column}", help="it must be there")


def _people(reader: csv.DictReader[str], path: Path, shifts: Collection[str]) -> Iterator[Person]:
	first_lines: dict[str, int] = {}
	for row in reader:
		line = reader.line_num
		person = _person(row, f"{path}: line {line}")
		if person.shift and shifts and person.shift not in shifts:
			raise ConfigError(
				Code.BAD_VALUE,
				path=f"{path}: line {line}, column shift: {person.shift!r}",
				expected=f"empty or the name of a shift ({', '.join(shifts)})",
			)
		first = first_lines.setdefault(person.employee, line)
		if first != line:
			raise ConfigError(
				Code.BAD_VALUE,
				path=f"{path}: line {line}, column employee: {person.employee!r}",
				expected=f"somebody else: line {first} has the same",
			)
		yield person


def _person(row: Mapping[str | None, object], place: str) -> Person:
	# DictReader fills a short line with None and gathers what is beyond the header under the key None.
	values = {column: value for column, value in row.items() if column and isinstance(value, str)}
	if len(values) != len(row):
		raise ConfigError(Code.BAD_VALUE, path=place, expected="as many values as the header line has")
	if any(len(value) > MAX_FIELD_LENGTH for value in values.values()):
		raise ConfigError(
			Code.BAD_VALUE, path=place, expected=f"at most {MAX_FIELD_LENGTH} characters a value"
		)
	if not values["employee"].strip():
		raise ConfigError(Code.BAD_VALUE, path=place, expected="an employee")
	return Person(**values)
