"""Where the `attendance-bridge` command begins and ends."""

from __future__ import annotations

import sys

EDGE_PACKAGES = {
	"apispec",
	"argon2",
	"cheroot",
	"click",
	"cryptography",
	"flask",
	"limits",
	"marshmallow",
	"prometheus_client",
	"rich",
	"tomli",
	"xlsxwriter",
}


def main() -> None:
	"""Run the command line; on a site, where the edge packages are not installed, say which are missing."""
	try:
		from attendance_bridge.cli.root import run

		code = run(sys.argv[1:])
	except ModuleNotFoundError as error:
		if error.name is None or error.name.partition(".")[0] not in EDGE_PACKAGES:
			raise
		sys.exit(
			f"The package {error.name} is missing. The command line belongs to the edge agent: "
			'pip install "attendance_bridge[edge]"'
		)
	sys.exit(code)
