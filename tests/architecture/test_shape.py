"""The shape of the package: small modules with one noun, complete plug-ins, nothing left out of a wheel."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import attendance_bridge
from attendance_bridge import drivers, upstreams
from attendance_bridge.core.config import describe
from attendance_bridge.core.driver import DriverSpec
from attendance_bridge.core.upstream import UpstreamSpec

PACKAGE = Path(attendance_bridge.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
WITH_A_NOUN = [
	module
	for module in MODULES
	# What Frappe prescribes has no name and no head of ours.
	if module.name not in ("__init__.py", "hooks.py") and module.parts[len(PACKAGE.parts)] != PACKAGE.name
]
LONGEST = 450
"""Lines. A longer module says in its docstring why it is so long."""
WHY_LONG = re.compile(r"\b(long|longer|length|lines)\b")
DOCSTRING = re.compile(r'(?:#[^\n]*\n|\s)*"""(.*?)"""', re.DOTALL)
DATA = sorted(
	file.relative_to(PACKAGE).as_posix()
	for file in PACKAGE.rglob("*")
	if file.suffix in {".sql", ".html", ".js", ".css", ".svg", ".txt"}
)


def name_of(module: Path) -> str:
	return module.relative_to(PACKAGE).as_posix()


def docstring(module: Path) -> str:
	"""Found as text: to parse every module takes seconds."""
	found = DOCSTRING.match(module.read_text(encoding="utf-8"))
	return found[1].strip() if found else ""


# One test over all modules each: a test of its own for each of them took longer than what it looked at.


def test_modules_are_short_or_say_why_not() -> None:
	assert len(MODULES) > 400
	lengths = {module: len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
	too_long = {module: lines for module, lines in lengths.items() if lines > LONGEST}
	assert [
		f"{name_of(module)}: {lines} lines"
		for module, lines in too_long.items()
		if not WHY_LONG.search(docstring(module))
	] == []


def test_modules_say_what_they_are() -> None:
	assert len(WITH_A_NOUN) > 300
	without_a_noun = ("utils", "util", "helpers", "common", "misc")
	assert [name_of(module) for module in WITH_A_NOUN if module.stem in without_a_noun] == []
	assert [name_of(module) for module in WITH_A_NOUN if not docstring(module)] == []


def test_packages_have_no_logic_of_their_own() -> None:
	"""But for the ones that list and load plug-ins."""
	packages = [module for module in MODULES if module.name == "__init__.py"]
	assert len(packages) > 40
	found = {}
	for module in packages:
		body = ast.parse(module.read_text(encoding="utf-8")).body
		functions = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
		lists_plug_ins = module.parent.name in ("drivers", "upstreams", "cameras")
		if more := functions - ({"names", "load", "pulled"} if lists_plug_ins else set()):
			found[name_of(module)] = more
	assert found == {}


# doctypes

DOCTYPES = sorted(PACKAGE.glob("attendance_bridge/doctype/*/*.json"))


@pytest.mark.parametrize("file", DOCTYPES, ids=lambda file: file.stem)
def test_no_field_looks_like_one_of_frappes_own(file: Path) -> None:
	"""Frappe's lists silently leave out what only contains such a name."""
	names = [field["fieldname"] for field in json.loads(file.read_text(encoding="utf-8"))["fields"]]
	own = ("_user_tags", "_comments", "_assign", "_liked_by", "_seen")
	assert not [name for name in names if any(each in name for each in own)]


# plug-ins


def contract_tests(folder: str, key: str, contract: str) -> list[str]:
	"""The classes in `tests/<folder>` that put the plug-in `key` under the contract of its kind."""
	found = []
	for file in sorted((ROOT / "tests" / folder).glob("test_*.py")):
		text = file.read_text(encoding="utf-8")
		if not re.search(rf"\b{key}\b", text):
			continue
		for node in ast.walk(ast.parse(text)):
			if isinstance(node, ast.ClassDef):
				bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
				found += [node.name] if contract in bases else []
	return found


def test_there_are_plug_ins() -> None:
	assert {"hikvision_isapi", "zkteco_tcp"} <= set(drivers.names())
	assert {"erpnext_rest", "local_ledger"} <= set(upstreams.names())


@pytest.mark.parametrize("key", drivers.names())
def test_a_driver_is_complete(key: str) -> None:
	spec = drivers.load(key).spec
	assert isinstance(spec, DriverSpec)
	assert spec.label
	# What the book of devices writes down of those that are read.
	assert {"host", "port"} <= describe(spec.config).keys() or not spec.pulled
	assert all(option.help for _kind, option in describe(spec.config).values())
	assert contract_tests("drivers", key, "DriverContract") or not spec.pulled


@pytest.mark.parametrize("key", upstreams.names())
def test_an_upstream_is_complete(key: str) -> None:
	spec = upstreams.load(key).spec
	assert isinstance(spec, UpstreamSpec)
	assert spec.label
	options = describe(spec.config)
	assert all(option.help for _kind, option in options.values())
	# What may not be sent twice has to rest before it is looked up.
	assert spec.idempotent or "settle_seconds" in options
	assert contract_tests("upstreams", key, "UpstreamContract")


@pytest.mark.parametrize("folder", ["drivers", "upstreams"])
def test_plug_ins_keep_out_of_each_other_by_contract(folder: str) -> None:
	text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
	independent = re.findall(r'type = "independence"\nmodules = (\[[^\]]*\])', text)
	listed = {module for modules in independent for module in re.findall(r'"([^"]+)"', modules)}
	keys = drivers.names() if folder == "drivers" else upstreams.names()
	assert {f"attendance_bridge.{folder}.{key}" for key in keys} <= listed


# data files


def test_there_is_data() -> None:
	assert {Path(name).suffix for name in DATA} >= {".sql", ".html", ".js", ".css"}


def test_data_is_found_where_the_package_is() -> None:
	found = files("attendance_bridge")
	assert [name for name in DATA if (found / name).read_bytes() != (PACKAGE / name).read_bytes()] == []


def test_what_is_built_has_all_modules_and_all_data(tmp_path: Path) -> None:
	if importlib.util.find_spec("setuptools") is None:
		pytest.skip("setuptools is not installed here")
	source, built = tmp_path / "source", tmp_path / "built"
	source.mkdir()
	for name in ("pyproject.toml", "README.md", "license.txt"):
		shutil.copy(ROOT / name, source)
	shutil.copytree(PACKAGE, source / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
	subprocess.run(
		[sys.executable, "-c", "import setuptools; setuptools.setup()", "-q", "build_py", "-d", built],
		cwd=source,
		check=True,
		capture_output=True,
		timeout=100,
	)
	missing = [
		name
		for name in [*map(name_of, MODULES), *DATA, "py.typed"]
		if not (built / PACKAGE.name / name).is_file()
	]
	assert missing == []
