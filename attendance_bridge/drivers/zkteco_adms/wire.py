"""HTTP as the push protocol uses it, without a socket: what came in, what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEXT = "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
	"""One call of a terminal, as a web server hands it over."""

	method: str
	path: str
	"""Decoded, from the root: "/iclock/cdata", "/<token>/iclock/cdata"."""
	query: str = ""
	"""The raw query string, without "?"."""
	headers: Mapping[str, str] = field(default_factory=dict)
	"""Names in any case."""
	body: bytes = field(default=b"", repr=False)
	is_cut: bool = False
	"""The body was longer than the bound; `body` is empty or its beginning."""
	has_length: bool = True
	"""It said how long its body is; if not, nobody knows whether there was one."""
	is_broken: bool = False
	"""The line broke before all of the body was there: nothing of it is taken."""

	def header(self, name: str) -> str:
		"""The value of a header, in whatever case it was sent; empty if there is none."""
		wanted = name.lower()
		return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
	"""What a web server sends back. Every reply carries a `Date`: terminals set their clock by it."""

	status: int
	headers: tuple[tuple[str, str], ...]
	body: bytes
