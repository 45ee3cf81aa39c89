"""The words that people agree to before their face is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings

_OURS = Path(__file__).parent / "consent.txt"
_VERSION_OF_OURS = "attendance-bridge-1"
_LANGUAGE_OF_OURS = "en"
MAX_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
	version: str
	"""How the company calls it."""
	text: str
	language: str = ""
	"""Code of the language; empty if nobody has said."""

	@property
	def sha256(self) -> str:
		"""Of the text in UTF-8, in hexadecimal digits."""
		return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

	@classmethod
	def of(cls, settings: EnrollmentSettings) -> ConsentText:
		"""
		:raises ConfigError: UNREADABLE_FILE.
		"""
		path = settings.consent_file or _OURS
		version = settings.consent_version.strip() if settings.consent_file else _VERSION_OF_OURS
		try:
			with path.open("rb") as file:
				content = file.read(MAX_BYTES + 1)
			text = content.decode("utf-8").strip()
		except OSError as error:
			raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=error.strerror or "") from None
		except UnicodeDecodeError:
			raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why="not UTF-8") from None
		if not text or len(content) > MAX_BYTES:
			raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why="empty, or larger than 20 kB")
		language = settings.consent_language if settings.consent_file else _LANGUAGE_OF_OURS
		return cls(version=version, text=text, language=language)
