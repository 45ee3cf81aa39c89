"""Writes SUPPORTED.md from what the drivers and upstreams say of themselves, and from the recordings.

`python devtools/generate_supported.py` writes it; `--check` only says whether it is up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from attendance_bridge import drivers, upstreams
from attendance_bridge.core.config import describe
from attendance_bridge.core.driver import Capability
from attendance_bridge.core.recording import Recording

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "SUPPORTED.md"
RECORDINGS = ROOT / "tests" / "recordings"

_HEAD = """# Supported

Made by `devtools/generate_supported.py` from the code; do not edit by hand.

Every driver of a terminal and every upstream here passes its contract suite against a simulator that speaks
the real protocol.
"""

_RECORDED = """## Recorded

Each of these conversations is played to the driver by every run of the tests. {truth}
How to add yours: [docs/diagnostics.md](docs/diagnostics.md).

| driver | recorded from | model | firmware | what it shows |
|---|---|---|---|---|
"""
_NO_TERMINAL = (
	"No real terminal was at hand: all of them are **recorded from the simulator**, and model and firmware"
	" are what the simulator claims to be."
)
_SOME_TERMINALS = "Those recorded from the simulator tell nothing about the model that it claims to be."
_SOURCES = {"terminal": "a terminal", "simulator": "the simulator"}

_CAPABILITIES = {
	Capability.WINDOW: "reads a range of days without the whole log",
	Capability.COUNT: "the terminal's own count for a range",
	Capability.READ_CLOCK: "reads the clock",
	Capability.SET_CLOCK: "sets the clock",
	Capability.LIVE: "tells of punches as they happen",
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
	return "\n".join([_HEAD, *_driver_sections(), _recorded(), *_upstream_sections()])


def _recorded() -> str:
	recordings = [
		Recording.from_text(file.read_text(encoding="utf-8")) for file in sorted(RECORDINGS.glob("*.json"))
	]
	real = any(recording.source == "terminal" for recording in recordings)
	lines = [_RECORDED.format(truth=_SOME_TERMINALS if real else _NO_TERMINAL)]
	for recording in recordings:
		device = recording.device
		cells = (
			f"`{recording.driver}`",
			_SOURCES.get(recording.source, "unknown"),
			device.get("model") or "—",
			device.get("firmware") or "—",
			recording.title,
		)
		lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |\n")
	return "".join(lines)


def _driver_sections() -> list[str]:
	sections = ["## Terminals\n"]
	for key in drivers.names():
		spec = drivers.load(key).spec
		able = [words for capability, words in _CAPABILITIES.items() if capability in spec.capabilities]
		abilities = ", ".join(able) if spec.pulled else "read by nobody, its punches come by themselves"
		sections.append(f'### {spec.label}\n\n`driver = "{key}"` — {abilities}.\n')
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
