"""Questions, each of which is an option too: asked at a terminal, answered by options without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from attendance_bridge.core.errors import BridgeError, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.secrets import read_secret

T = TypeVar("T")


class Questions:
	"""Asks what no option has answered; where nobody can be asked, any method may raise `UsageError`."""

	def __init__(self, *, asks: bool, untested: bool = False) -> None:
		"""
		:param asks: whether somebody sits at a terminal.
		:param untested: whether what fails its test is written down all the same, with a warning.
		"""
		self.asks = asks
		self.untested = untested
		self._number = 0

	def heading(self, text: str) -> None:
		self._number += 1
		click.echo(f"\n{self._number}. {text}")

	def right(self, text: str) -> None:
		click.echo(f"   ok     {text}")

	def note(self, text: str) -> None:
		click.echo(f"   note   {text}")

	def wrong(self, text: str) -> None:
		click.echo(f"   WRONG  {text}", err=not self.asks)

	def text(self, option: str, question: str, given: str | None = None, default: str | None = None) -> str:
		"""A line of text; an empty answer takes the default."""
		if given is not None:
			return given
		if self.asks:
			return str(click.prompt(f"   {question}", default=default, show_default=bool(default))).strip()
		if default is None:
			raise missing(option)
		return default

	def secret(
		self,
		option: str,
		question: str,
		file: Path | None = None,
		*,
		confirmed: bool = False,
		may_lack: bool = False,
	) -> Secret | None:
		"""A secret: typed without being shown, or read from a file; never an argument.

		:param may_lack: whether there may be none.
		"""
		if file is not None:
			try:
				return Secret(read_secret("file", str(file)))
			except ConfigError as error:
				raise ConfigError(error.code, path=option, kind="file", reference=str(file)) from None
		if self.asks:
			typed: str = click.prompt(
				f"   {question}",
				hide_input=True,
				confirmation_prompt="   Once more" if confirmed else False,
				default="" if may_lack else None,
				show_default=False,
			)
			return Secret(typed.strip()) if typed.strip() else None
		if may_lack:
			return None
		raise missing(option)

	def yes(self, question: str, *, default: bool) -> bool:
		"""Where nobody can be asked, the default."""
		return click.confirm(f"   {question}", default=default) if self.asks else default

	def choose(
		self,
		option: str,
		question: str,
		choices: Mapping[str, str],
		given: str | None = None,
		default: str = "",
	) -> str:
		"""One of `choices` (key → what it is), by its number or its key."""
		if given is not None:
			return given
		if not self.asks:
			if default:
				return default
			raise missing(option)
		keys = list(choices)
		for number, key in enumerate(keys, 1):
			click.echo(f"     {number}  {choices[key]}")
		shown = str(keys.index(default) + 1) if default else None
		while True:
			answer = str(click.prompt(f"   {question}", default=shown)).strip()
			if answer in choices:
				return answer
			if answer.isdecimal() and 1 <= int(answer) <= len(keys):
				return keys[int(answer) - 1]
			self.wrong(f"A number from 1 to {len(keys)}, please.")

	def until(self, ask: Callable[[], T], attempt: Callable[[T], object], *, repeat: bool = True) -> T:
		"""Ask until the answer passes its test.

		:param attempt: raises BridgeError when it does not.
		:param repeat: False where the answer came from an option: asking again would not change it.
		:raises BridgeError: it fails and cannot be asked for again.
		"""
		while True:
			answer = ask()
			try:
				attempt(answer)
			except BridgeError as error:
				if self.untested:
					self.note(f"{sentence(error)} It is written down untested.")
					return answer
				if not self.asks or not repeat:
					raise
				self.wrong(sentence(error))
			else:
				return answer


def missing(option: str) -> click.UsageError:
	return click.UsageError(f"Missing option {option}. There is no terminal to ask at; say it as an option.")
