"""`edge export-days`, beside an agent's database."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from attendance_bridge.cli.root import run
from attendance_bridge.stores.audit import AuditLog
from tests.edge.rig import Edge
from tests.edge.workdays.rig import MONDAY, Shop

CONFIGURATION = """
[agent]
timezone = "Asia/Dubai"
database = "{database}"

[[shifts]]
name = "Day"
start = 09:00:00
end = 17:00:00

[working_days]
default_shift = "Day"
"""
SITE = """
[upstream]
kind = "frappe_bridge"
url = "https://erp.example.com"
api_key_env = "HOME"
api_secret_env = "HOME"
"""


@pytest.fixture
def export(edge: Edge, tmp_path: Path) -> Callable[..., int]:
	shop = Shop(edge)
	shop.passes("7", "09:00", "18:00")
	shop.passes("=8", "09:30", day=MONDAY.replace(day=3))
	shop.settle()
	path = tmp_path / "edge.toml"
	path.write_text(CONFIGURATION.format(database=edge.path), encoding="utf-8")
	return lambda *rest: run(["edge", "export-days", "--config", str(path), *map(str, rest)])


def test_a_month_as_csv(
	export: Callable[..., int], edge: Edge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	file = tmp_path / "march.csv"
	assert export("--month", "2026-03", file) == 0
	assert capsys.readouterr().out.strip() == f"{file} holds the days of 2 people."
	assert stat.S_IMODE(file.stat().st_mode) == 0o600
	with file.open(encoding="utf-8-sig", newline="") as lines:
		rows = list(csv.DictReader(lines))
	assert len(rows) == 2 * 31
	monday = next(row for row in rows if row["Employee"] == "7" and row["Date"] == "2026-03-02")
	assert (monday["Shift"], monday["Hours"], monday["Overtime"]) == ("Day", "9.00", "1.00")
	# No terminal of this configuration was ever read: nobody is absent.
	assert {row["Day"] for row in rows} == {"Not Scheduled", "On Time", "Late", "Missing"}
	assert any(row["Employee"] == "'=8" for row in rows)
	act = AuditLog(edge.database).latest(1)[0]
	assert (act.act, act.subject, act.details) == ("days_exported", "csv", "2026-03-01 to 2026-03-31")
	assert act.who.endswith("(command line)")


def test_a_month_as_excel(export: Callable[..., int], tmp_path: Path) -> None:
	file = tmp_path / "march.xlsx"
	assert export("--month", "2026-03", "--format", "xlsx", file) == 0
	month = openpyxl.load_workbook(file)["Month"]
	found = {row[0]: row for row in month.iter_rows(min_row=2, values_only=True)}
	assert found["7"][3:6] == (None, "P", "?")
	assert found["=8"][5] == "L"


def test_nothing_is_overwritten(
	export: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	file = tmp_path / "march.csv"
	file.write_text("mine", encoding="utf-8")
	assert export("--month", "2026-03", file) == 2
	assert "is there already" in capsys.readouterr().err
	assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("month", ["2026-13", "0001-01", "March"])
def test_what_is_no_month_is_refused(export: Callable[..., int], tmp_path: Path, month: str) -> None:
	assert export("--month", month, tmp_path / "x.csv") == 2
	assert not (tmp_path / "x.csv").exists()


def test_a_folder_that_is_not_there_is_named(
	export: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	assert export("--month", "2026-03", tmp_path / "nowhere" / "x.csv") == 2
	assert "There is no folder" in capsys.readouterr().err


def test_where_a_site_counts_it_says_so(
	edge: Edge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	path = tmp_path / "edge.toml"
	path.write_text(f'[agent]\ndatabase = "{edge.path}"\n{SITE}', encoding="utf-8")
	assert run(["edge", "export-days", "--config", str(path), "--month", "2026-03", str(tmp_path / "x")]) == 2
	assert "The site that gets the check-ins counts working days" in capsys.readouterr().err
	assert not (tmp_path / "x").exists()
