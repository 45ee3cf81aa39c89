"""Run the app's bench tests on a site of a Frappe bench, with the code of this checkout.

	python devtools/bench_tests.py [--bench BENCH] [--site SITE] [--find] [--module MODULE …]

Without `--bench` and `--site` they come from the environment (BENCH, SITE). With `--find` a bench is looked
for (~/frappe-bench, ~/bench); where there is none with a site for tests, that is said and counts as success.
Services that do not run are started and ended afterwards: Redis from the bench's own configuration, MariaDB
as the system's service. The site must have the app installed and allow tests; it is migrated to this checkout
first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

APP = "attendance_bridge"
CHECKOUT = Path(__file__).resolve().parent.parent
PLACES = (Path.home() / "frappe-bench", Path.home() / "bench")
SECONDS_TO_START = 60


class UnusableError(Exception):
	"""Why tests cannot run here, in words."""


def main() -> int:
	arguments = _arguments()
	try:
		bench = _bench(arguments.bench, find=arguments.find)
		with _services(bench):
			site = _site(bench, arguments.site)
			_say(f"bench tests on {site} of {bench}")
			_frappe(bench, site, "migrate", quiet=True)
			# Frappe takes one module at a time: of several it would run the last.
			runs: list[tuple[str, ...]] = [("--module", module) for module in arguments.module] or [()]
			return max(_run_tests(bench, site, *only) for only in runs)
	except UnusableError as reason:
		_say(f"no bench tests: {reason}")
		return 0 if arguments.find else 1


def _arguments() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description="Run the app's tests on a site of a Frappe bench.")
	parser.add_argument("--bench", default=os.environ.get("BENCH", ""))
	parser.add_argument("--site", default=os.environ.get("SITE", ""))
	parser.add_argument("--find", action="store_true", help="look for a bench; none is no failure")
	parser.add_argument("--module", action="append", default=[], help="only this module of tests")
	return parser.parse_args()


def _bench(named: str, *, find: bool) -> Path:
	if not named and not find:
		raise UnusableError("name a bench: make test-bench BENCH=… SITE=…")
	for place in [Path(named).expanduser()] if named else PLACES:
		if (place / "sites" / "apps.txt").is_file() and (place / "env" / "bin" / "python").exists():
			return place.resolve()
	raise UnusableError(f"no Frappe bench at {named or ' or '.join(map(str, PLACES))}")


def _site(bench: Path, named: str) -> str:
	"""The named site, or the bench's own default one."""
	site = named or _config(bench).get("default_site") or _current_site(bench)
	if not site:
		raise UnusableError("no site was named (SITE=…), and the bench has no default one (bench use …)")
	config = bench / "sites" / site / "site_config.json"
	if not config.is_file():
		raise UnusableError(f"the bench has no site {site}")
	if not {**_config(bench), **json.loads(config.read_text())}.get("allow_tests"):
		raise UnusableError(f"{site} does not allow tests (bench --site {site} set-config allow_tests true)")
	listed = subprocess.run(
		[*_command(bench, site), "list-apps"], cwd=bench / "sites", env=_environment(), text=True,
		capture_output=True, check=False,
	)  # fmt: skip
	if APP not in listed.stdout:
		raise UnusableError(f"{APP} is not installed on {site} {listed.stderr[-300:]}")
	return str(site)


def _current_site(bench: Path) -> str:
	file = bench / "sites" / "currentsite.txt"
	return file.read_text().strip() if file.is_file() else ""


def _config(bench: Path) -> dict[str, object]:
	file = bench / "sites" / "common_site_config.json"
	content = json.loads(file.read_text()) if file.is_file() else {}
	return content if isinstance(content, dict) else {}


def _run_tests(bench: Path, site: str, *only: str) -> int:
	"""Run tests, showing their words as they come.

	Frappe v15 ends with 0 whatever came of them, unless CI is set, which changes more than that: so what
	counts is what the runner says at its end.
	"""
	verdict = ""
	with subprocess.Popen(
		[*_command(bench, site), "run-tests", "--app", APP, *only], cwd=bench / "sites", env=_environment(),
		text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
	) as running:  # fmt: skip
		for line in running.stdout or ():
			print(line, end="", flush=True)
			if line.startswith(("OK", "FAILED", "NO TESTS RAN")):
				verdict = line
	return running.returncode or (0 if verdict.startswith("OK") else 1)


def _frappe(bench: Path, site: str, *command: str, quiet: bool = False) -> int:
	"""Run a command of Frappe's; with `quiet` its words are shown only when it fails.

	:raises UnusableError: it failed, and was quiet.
	"""
	done = subprocess.run(
		[*_command(bench, site), *command], cwd=bench / "sites", env=_environment(), text=True,
		stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None, check=False,
	)  # fmt: skip
	if quiet and done.returncode:
		print(done.stdout[-3000:])
		sys.exit(done.returncode)
	return done.returncode


def _command(bench: Path, site: str) -> list[str]:
	python = str(bench / "env" / "bin" / "python")
	return [python, "-m", "frappe.utils.bench_helper", "frappe", "--site", site]


def _environment() -> dict[str, str]:
	# Before what the bench has installed: this checkout is what is tested.
	path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
	return {**os.environ, "PYTHONPATH": path}


@contextlib.contextmanager
def _services(bench: Path) -> Iterator[None]:
	"""Redis and MariaDB run while this is open; what ran before runs on after."""
	config = _config(bench)
	with contextlib.ExitStack() as started:
		for kind in ("cache", "queue"):
			url = urlsplit(str(config.get(f"redis_{kind}", "")))
			if url.port and not _answers(url.hostname or "", url.port):
				file = str(bench / "config" / f"redis_{kind}.conf")
				redis = subprocess.Popen([_program("redis-server"), file], stdout=subprocess.DEVNULL)
				started.callback(redis.wait, SECONDS_TO_START)
				started.callback(redis.terminate)
				_wait_for(url.hostname or "", url.port)
		host, port = str(config.get("db_host") or "127.0.0.1"), int(str(config.get("db_port") or 3306))
		if not _answers(host, port):
			service = _program("service")
			subprocess.run([service, "mariadb", "start"], stdout=subprocess.DEVNULL, check=False)
			started.callback(subprocess.run, [service, "mariadb", "stop"], stdout=subprocess.DEVNULL)
			_wait_for(host, port)
		yield


def _program(name: str) -> str:
	found = shutil.which(name)
	if found is None:
		raise UnusableError(f"a service of the bench does not run, and there is no {name} to start it")
	return found


def _wait_for(host: str, port: int) -> None:
	for _each in range(SECONDS_TO_START * 10):
		if _answers(host, port):
			return
		time.sleep(0.1)
	raise UnusableError(f"nothing answers at {host}:{port}, although it was started")


def _answers(host: str, port: int) -> bool:
	with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
		return True
	return False


def _say(words: str) -> None:
	print(words, flush=True)


if __name__ == "__main__":
	sys.exit(main())
