"""`edge punch`: what somebody has missed, entered beside an agent's database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from attendance_bridge.cli.root import run
from attendance_bridge.edge.messages import ENTERING
from attendance_bridge.stores.audit import AuditLog
from tests.edge.rig import Clock, Edge
from tests.edge.workdays.rig import Shop
from tests.edge.workdays.test_export import CONFIGURATION, SITE

YESTERDAY = datetime.now(timezone.utc).date() - timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
	return Clock(datetime.now(timezone.utc))


@pytest.fixture
def shop(edge: Edge) -> Shop:
	"""Somebody has forgotten the OUT of yesterday."""
	made = Shop(edge)
	made.passes("7", "09:00", day=YESTERDAY)
	made.settle()
	return made


@pytest.fixture
def punch(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
	"""Runs a command; gives its exit code and what was printed."""
	path = tmp_path / "edge.toml"
	path.write_text(CONFIGURATION.format(database=shop.edge.path), encoding="utf-8")

	def command(verb: str, *rest: str) -> tuple[int, str]:
		code = run(["edge", "punch", verb, "--config", str(path), *rest])
		said = capsys.readouterr()
		return code, said.out + said.err

	return command


def test_a_punch_is_entered_once_listed_and_withdrawn(
	punch: Callable[..., tuple[int, str]], shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
	wanted = ("enter", "7", f"{YESTERDAY} 18:00", "--out", "--why", "forgot")
	code, said = punch(*wanted)
	assert (code, ENTERING["waits"] in said) == (0, True)
	found = re.search(r"[0-9a-f-]{36}", said)
	assert found
	shop.settle()
	run(["punches", "--db", str(shop.edge.path), "--json"])
	printed = json.loads(capsys.readouterr().out)
	assert [row["device"] for row in printed] == ["T1", "by hand"]
	assert ENTERING["known"] in punch(*wanted)[1]
	assert shop.day("7", YESTERDAY).day.worked == timedelta(hours=9)
	listed = punch("list", "7", "--month", f"{YESTERDAY:%Y-%m}")[1]
	assert re.fullmatch(
		rf"{found[0]}  {YESTERDAY} 18:00:00 OUT  entered, counts  .* \(command line\), .*: forgot\n", listed
	)
	code, said = punch("withdraw", found[0], "--why", "a mistake")
	assert (code, said.strip()) == (0, ENTERING["withdrawn"])
	assert punch("withdraw", found[0], "--why", "me too")[1].strip() == ENTERING["withdrawn_before"]
	listed = punch("list", "7", "--month", f"{YESTERDAY:%Y-%m}")[1]
	assert re.fullmatch(r".* OUT  entered  .*: forgot\n.* OUT  withdrawn  .*: a mistake\n", listed)
	assert shop.day("7", YESTERDAY).day.worked == timedelta(0)
	acts = [act for act in AuditLog(shop.edge.database).latest() if act.act.startswith("punch_")]
	assert [act.act for act in acts] == ["punch_withdrawn", "punch_entered"]
	assert acts[0].who.endswith("(command line)")


@pytest.mark.parametrize(
	("rest", "words"),
	[
		(("7", f"{YESTERDAY} 18:00", "--why", "x"), "--in or --out"),
		(("7", f"{YESTERDAY} 18:00", "--out", "--in", "--why", "x"), "--in or --out"),
		(("7", f"{YESTERDAY} 18:00", "--out", "--why", " "), ENTERING["why"]),
		(("7", f"{YESTERDAY} 18:00", "--out", "--why", "a\x1b[2J"), ENTERING["why"]),
		(("7", f"{YESTERDAY} 09:00", "--out", "--why", "x"), ENTERING["same_second"]),
		(("7", f"{YESTERDAY} 08:59:30", "--out", "--why", "x"), "a punch at 09:00:00, less than 60 seconds"),
		(("8", f"{YESTERDAY} 18:00", "--out", "--why", "x"), ENTERING["no_such_person"]),
		(("7", "2199-01-01 00:00", "--out", "--why", "x"), ENTERING["in_the_future"]),
		(("7", "yesterday", "--out", "--why", "x"), "is no moment"),
	],
)
def test_what_cannot_be_is_refused(
	punch: Callable[..., tuple[int, str]], rest: tuple[str, ...], words: str
) -> None:
	code, said = punch("enter", *rest)
	assert code == 2
	assert words in " ".join(said.split())


def test_the_list_of_nobody_is_a_mistake_and_an_empty_one_is_none(
	punch: Callable[..., tuple[int, str]],
) -> None:
	month = ("--month", f"{YESTERDAY:%Y-%m}")
	assert punch("list", "7", *month) == (0, "None.\n")
	code, said = punch("list", "nobody", *month)
	assert (code, ENTERING["no_such_person"] in " ".join(said.split())) == (2, True)


def test_where_check_ins_go_elsewhere_it_says_so(
	edge: Edge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	path = tmp_path / "edge.toml"
	path.write_text(f'[agent]\ndatabase = "{edge.path}"\n{SITE}', encoding="utf-8")
	assert run(["edge", "punch", "list", "--config", str(path), "--month", "2026-03", "7"]) == 2
	assert ENTERING["kept_elsewhere"] in capsys.readouterr().err
