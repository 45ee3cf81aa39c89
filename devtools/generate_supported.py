"""Writes SUPPORTED.md from what the drivers and upstreams say of themselves.

`python devtools/generate_supported.py` writes it; `--check` only says whether it is up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from attendance_bridge import drivers, upstreams
from attendance_bridge.core.config import describe
from attendance_bridge.core.driver import Capability

TARGET = Path(__file__).resolve().parent.parent / "SUPPORTED.md"

_HEAD = """# Supported

Made by `devtools/generate_supported.py` from the code; do not edit by hand.

Every driver and upstream here passes its contract suite against a simulator that speaks the real protocol.
Reports of what works with which model and firmware are welcome; none has been recorded yet.
"""

_CAPABILITIES = {
	Capability.WINDOW: "reads a range of days without the whole log",
	Capability.COUNT: "the terminal's own count for a range",
	Capability.READ_CLOCK: "reads the clock",
	Capability.SET_CLOCK: "sets the clock",
}


def main() -> int:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--check", action="store_true")
	wanted = render()
	if not parser.parse_args().check:
		TARGET.write_text(wanted, encoding="utf-8")
		return 0
	if TARGET.read_text(encoding="utf-8") == wanted:
		return 0
	print("SUPPORTED.md is out of date: python devtools/generate_supported.py", file=sys.stderr)
	return 1


def render() -> str:
	"""The whole page."""
	return "\n".join([_HEAD, *_driver_sections(), *_upstream_sections()])


def _driver_sections() -> list[str]:
	sections = ["## Terminals\n"]
	for key in drivers.names():
		spec = drivers.load(key).spec
		able = [words for capability, words in _CAPABILITIES.items() if capability in spec.capabilities]
		sections.append(f'### {spec.label}\n\n`driver = "{key}"` — {", ".join(able)}.\n')
		sections.append(_options(spec.config))
	return sections


def _upstream_sections() -> list[str]:
	sections = ["## Receivers of check-ins\n"]
	for key in upstreams.names():
		spec = upstreams.load(key).spec
		sections.append(f'### {spec.label}\n\n`kind = "{key}"`\n')
		sections.append(_options(spec.config))
	return sections


def _options(config: type) -> str:
	lines = ["| option | meaning |", "|---|---|"]
	for name, (kind, option) in describe(config).items():
		secret = "Secret" in str(kind)
		shown = f"`{name}_env` or `{name}_file`" if secret else f"`{name}`"
		lines.append(f"| {shown} | {option.help} |".replace("\n", " "))
	return "\n".join(lines) + "\n"


if __name__ == "__main__":
	sys.exit(main())
