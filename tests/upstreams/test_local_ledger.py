from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from attendance_bridge.core.errors import Code, ConfigError, StoreError, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.upstream import CheckIn
from attendance_bridge.upstreams import local_ledger
from attendance_bridge.upstreams.local_ledger import Config, Upstream, read_people
from tests.contracts.upstream_contract import Held, Rig, UpstreamContract, as_held, check_in

LIST = """employee,attendance_device_id,full_name,department
HR-EMP-00001,007,Fatima,Packing
HR-EMP-00002, 8,"Khan, Omar",
"""


class MemoryLedger:
	"""A `core.ports.Ledger` for as long as the test lasts."""

	def __init__(self) -> None:
		self.entries: dict[UUID, CheckIn] = {}

	def record(self, check_ins: Sequence[CheckIn]) -> Sequence[bool]:
		is_new = []
		for entry in check_ins:
			is_new.append(entry.punch.punch_id not in self.entries)
			self.entries.setdefault(entry.punch.punch_id, entry)
		return is_new


class LedgerRig(Rig):
	def __init__(self) -> None:
		self.ledger = MemoryLedger()

	def upstream(self) -> Upstream:
		return Upstream(Config(), ledger=self.ledger, people=self.people())

	def held(self) -> Sequence[Held]:
		return [as_held(entry) for entry in self.ledger.entries.values()]

	def people(self) -> Sequence[Person]:
		return [Person(employee=employee, attendance_device_id=employee[-1]) for employee in self.employees]

	def employee_refused(self) -> str:
		return "HR-EMP-00099"


class TestLocalLedger(UpstreamContract):
	judges_check_ins = False

	@pytest.fixture
	def rig(self) -> Rig:
		return LedgerRig()


def written(folder: Path, text: str | bytes) -> Path:
	path = folder / "people.csv"
	path.write_bytes(text if isinstance(text, bytes) else text.encode())
	return path


def test_a_list_of_people_is_taken_as_it_stands(tmp_path: Path) -> None:
	expected = (
		Person(employee="HR-EMP-00001", attendance_device_id="007", full_name="Fatima", department="Packing"),
		Person(employee="HR-EMP-00002", attendance_device_id=" 8", full_name="Khan, Omar"),
	)
	assert read_people(written(tmp_path, LIST)) == expected
	assert read_people(written(tmp_path, b"\xef\xbb\xbf" + LIST.replace("\n", "\r\n").encode())) == expected


def test_semicolons_of_a_spreadsheet(tmp_path: Path) -> None:
	(person,) = read_people(written(tmp_path, "attendance_device_id;employee\n1,5;E1\n"))
	assert person == Person(employee="E1", attendance_device_id="1,5")


@pytest.mark.parametrize(
	("text", "code", "place"),
	[
		("", Code.UNREADABLE_FILE, ""),
		(b"\xff\xfe\x00", Code.UNREADABLE_FILE, ""),
		("employee,attendance_device_id,salary\n", Code.BAD_VALUE, "column 'salary'"),
		("employee\nE1\n", Code.MISSING_KEY, "attendance_device_id"),
		("employee,employee,attendance_device_id\n", Code.BAD_VALUE, "line 1"),
		("employee,attendance_device_id\nE1,1\nE2\n", Code.BAD_VALUE, "line 3"),
		("employee,attendance_device_id\nE1,1,x\n", Code.BAD_VALUE, "line 2"),
		("employee,attendance_device_id\n ,1\n", Code.BAD_VALUE, "line 2"),
		("employee,attendance_device_id\nE1,1\nE1,2\n", Code.BAD_VALUE, "line 3, column employee: 'E1'"),
		(
			"employee,attendance_device_id,shift\nE1,1,Day\nE2,2,\nE3,3,Dya\n",
			Code.BAD_VALUE,
			"line 4, column shift: 'Dya'",
		),
		(f"employee,attendance_device_id\nE1,{'9' * 141}\n", Code.BAD_VALUE, "line 2"),
		(f"employee,attendance_device_id\nE1,{'9' * 200_000}\n", Code.BAD_VALUE, "line"),
		('employee,attendance_device_id\n"E1"x,1\n', Code.BAD_VALUE, "line 2"),
	],
)
def test_a_list_that_cannot_be_used_says_where(
	tmp_path: Path, text: str | bytes, code: Code, place: str
) -> None:
	path = written(tmp_path, text)
	with pytest.raises(ConfigError) as caught:
		read_people(path, ("Day", "Night"))
	assert caught.value.code is code
	assert str(path) in str(caught.value.details["path"])
	assert place in str(caught.value.details["path"])


def test_shifts_of_a_list_mean_nothing_where_none_are_counted(tmp_path: Path) -> None:
	(person,) = read_people(written(tmp_path, "employee,attendance_device_id,shift\nE1,1,Early\n"))
	assert person.shift == "Early"


def test_a_list_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(local_ledger, "MAX_PEOPLE", 1)
	with pytest.raises(ConfigError):
		read_people(written(tmp_path, LIST))
	monkeypatch.setattr(local_ledger, "MAX_FILE_BYTES", 10)
	with pytest.raises(ConfigError) as caught:
		read_people(written(tmp_path, LIST))
	assert caught.value.code is Code.UNREADABLE_FILE


@pytest.mark.parametrize("name", ["missing.csv", "", "nul\0"])
def test_a_list_that_is_not_there_is_said_at_the_start(tmp_path: Path, name: str) -> None:
	with pytest.raises(ConfigError) as caught:
		Upstream(Config(people_file=f"{tmp_path}/{name}"), ledger=MemoryLedger())
	assert caught.value.code is Code.UNREADABLE_FILE


def test_a_list_may_be_edited_while_the_agent_runs(tmp_path: Path) -> None:
	path = written(tmp_path, LIST)
	upstream = Upstream(Config(people_file=str(path)), ledger=MemoryLedger())
	assert len(list(upstream.people())) == 2
	written(tmp_path, LIST + "HR-EMP-00003,9,,\n")
	assert len(list(upstream.people())) == 3
	written(tmp_path, "half a li")
	for read in (lambda: list(upstream.people()), upstream.check):
		with pytest.raises(UpstreamError) as caught:
			read()
		assert caught.value.retryable


def test_without_a_list_nobody_is_listed() -> None:
	assert list(Upstream(Config(), ledger=MemoryLedger()).people()) == []


def test_a_ledger_that_fails_gives_no_receipt() -> None:
	class FullLedger:
		def record(self, check_ins: Sequence[CheckIn]) -> Sequence[bool]:
			raise StoreError(Code.DISK_FULL)

	with pytest.raises(StoreError):
		list(Upstream(Config(), ledger=FullLedger()).deliver([check_in("E1")]))
