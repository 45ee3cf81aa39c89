"""The real site that a benchmark runs on: which one, a script moved onto it, and a web server before it.

Two variables of the environment say where it is:

	ATTENDANCE_BRIDGE_BENCH   folder of a bench, for example ~/frappe-bench
	ATTENDANCE_BRIDGE_SITE    a site of it with HRMS and attendance_bridge, for example trial.localhost

Without them, a benchmark is skipped in plain words. It must be a site for trials: what a benchmark makes
there it takes away again, but whoever works on the site meanwhile sees it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

BENCH = "ATTENDANCE_BRIDGE_BENCH"
SITE = "ATTENDANCE_BRIDGE_SITE"

_START_SECONDS = 60.0


def enter() -> None:
	"""Go on in the interpreter of the bench, where `frappe` can be imported; the script begins anew there.

	Does nothing where that has happened. Ends the script, as skipped, where there is no site.
	"""
	bench, site = os.environ.get(BENCH), os.environ.get(SITE)
	if not bench or not site:
		skip(f"it needs a real site; say which one with {BENCH}=<folder> and {SITE}=<name>")
	prefix = Path(bench).expanduser().resolve() / "env"
	if not (prefix / "bin" / "python").exists() or not (prefix.parent / "sites" / site).is_dir():
		skip(f"there is no site {site} in {bench}")
	if Path(sys.prefix).resolve() == prefix:
		os.chdir(prefix.parent / "sites")  # frappe looks for its sites in the working directory
		return
	script = str(Path(sys.argv[0]).resolve())
	python = str(prefix / "bin" / "python")
	sys.stdout.flush()
	os.execv(python, [python, script, *sys.argv[1:]])


def skip(reason: str) -> None:
	"""End the script: what it measures cannot be measured here."""
	print(f"skipped: {reason}")
	raise SystemExit(0)


def name() -> str:
	"""The site's name."""
	return os.environ[SITE]


@contextmanager
def web_server(port: int, workers: int = 2, threads: int = 4) -> Iterator[str]:
	"""Run gunicorn before the site, as a small production machine does; yields its address.

	Threaded workers: only they keep a connection for the next request.
	"""
	log = Path("..", "logs", f"attendance_bridge_benchmark_{port}.log")
	log.parent.mkdir(exist_ok=True)
	with log.open("w") as output:
		# Settings of Frappe's own container images; `sites` is the working directory.
		process = subprocess.Popen(
			[
				*(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
				*("--workers", str(workers), "--threads", str(threads), "--worker-class", "gthread"),
				*("--timeout", "120", "--keep-alive", "30", "--preload", "frappe.app:application"),
			],
			stdout=output,
			stderr=output,
		)
		try:
			address = f"http://127.0.0.1:{port}"
			_wait_until_it_answers(address, process)
			yield address
		finally:
			process.terminate()
			process.wait(30)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
	ends = time.monotonic() + _START_SECONDS
	while time.monotonic() < ends and process.poll() is None:
		if _answers(address):
			return
		time.sleep(0.2)
	raise SystemExit(f"gunicorn did not start at {address}; see logs in the bench")


def _answers(address: str) -> bool:
	try:
		answer = requests.get(f"{address}/api/method/ping", headers={"Host": name()}, timeout=30)
	except requests.ConnectionError:
		return False
	answer.raise_for_status()
	return True
