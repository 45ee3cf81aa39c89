"""Progress bars on standard error, where they do not disturb what is piped."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from attendance_bridge.core.driver import Page
from attendance_bridge.core.pull import PullReport


def make_progress(*, hidden: bool = False) -> Progress:
	"""Bars that count records of a terminal's log."""
	console = Console(stderr=True)
	return Progress(
		TextColumn("{task.description}"),
		BarColumn(bar_width=30),
		MofNCompleteColumn(),
		TextColumn("records"),
		TimeElapsedColumn(),
		console=console,
		disable=hidden or not console.is_terminal,
	)


class PullProgress:
	"""One bar for one pull."""

	def __init__(self, name: str, *, hidden: bool) -> None:
		self._progress = make_progress(hidden=hidden)
		self._task = self._progress.add_task(name, total=None)

	def on_page(self, page: Page, report: PullReport) -> None:
		"""A `core.pull.OnPage`."""
		self._progress.update(self._task, completed=report.read, total=page.expected)

	def __enter__(self) -> PullProgress:
		self._progress.start()
		return self

	def __exit__(self, *exc_info: object) -> None:
		self._progress.stop()
