"""What was answered, written down: secrets, certificate, database with key and account, the rest last."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.cli.init.page import Page
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.edge.certificates import make_certificate, read_certificate
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.setup.configuration_file import Laid, lay_out, write_private
from attendance_bridge.edge.web.access import passwords
from attendance_bridge.stores import gallery as galleries
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.gallery_key import read_key_file

REMARKS = {
	"agent": "This agent. `timezone` is the one of the place where it stands.",
	"upstream": "Where check-ins go.",
	"devices": "Terminals that are read; one table each.",
	"camera": "The camera; recognition, gallery and kiosk belong to it.",
	"gallery": "Face templates are locked with this key. Keep a copy of it apart from every backup.",
	"web": "The agent's pages.",
}


@dataclass(frozen=True, kw_only=True)
class Places:
	"""Where everything goes; all absolute."""

	config: Path
	secrets: Path
	database: Path
	gallery_key: Path

	@property
	def certificate(self) -> Path:
		return self.config.parent / "page-certificate.pem"

	@property
	def certificate_key(self) -> Path:
		return self.secrets / "page-certificate-key.pem"

	@property
	def before(self) -> Path:
		"""Where the configuration of before is kept when it is replaced."""
		return self.config.with_name(f"{self.config.name}.before")


def in_the_way(places: Places, laid: Laid) -> list[Path]:
	"""What would be replaced."""
	return [path for path in (places.config, *laid.secrets) if path.exists()]


def lay(places: Places, tables: Mapping[str, object]) -> Laid:
	return lay_out(places.config, places.secrets, tables, REMARKS)


def write(places: Places, laid: Laid, page: Page, *, sees: bool) -> Iterator[str]:
	"""Write everything; yields a line for each thing done. The configuration comes last.

	:raises OSError: a folder or file cannot be written.
	:raises BridgeError: the database, or the key of its templates, cannot be used.
	"""
	places.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
	for path, secret in laid.secrets.items():
		write_private(path, secret.reveal() + "\n")
		yield f"{path}  (a secret, for this user only)"
	if page.make_certificate:
		yield _certificate(places, page.make_certificate)
	places.database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	with Database.open(places.database) as database:
		yield f"{places.database}  (the database)"
		if sees:
			yield _gallery_key(places, database)
		if page.account and page.password is not None:
			yield _account(database, page.account, passwords.hash_password(page.password.reveal()))
	if places.config.exists():
		places.config.replace(places.before)
		yield f"{places.before}  (the configuration of before)"
	write_private(places.config, laid.text)
	yield f"{places.config}  (the configuration, no secret in it)"


def _certificate(places: Places, names: tuple[str, ...]) -> str:
	if places.certificate.exists() and places.certificate_key.exists():
		facts, word = read_certificate(places.certificate), "was there already"
	else:
		facts = make_certificate(places.certificate, places.certificate_key, names, now=utc_now())
		word = f"good until {facts.ends_at:%Y-%m-%d}"
	what = f"certificate of the pages, {word}; its key is in {places.secrets}"
	return f"{places.certificate}  ({what})\n     SHA-256 {facts.fingerprint}"


def _gallery_key(places: Places, database: Database) -> str:
	key = places.gallery_key
	if not key.exists():
		galleries.create_key(database, key)
		return f"{key}  (the key of the face templates: keep a copy in a safe place)"
	galleries.Gallery.open(database, read_key_file(key, places.database), now=utc_now)
	return f"{key}  (the key of the face templates, was there already and fits)"


def _account(database: Database, name: str, password_hash: str) -> str:
	by = f"{getpass.getuser()} (edge init)"
	accounts = Accounts(database)
	if accounts.add(name, "admin", password_hash, by=by, at=utc_now()):
		return f"account {name}  (may do everything on the pages)"
	known = accounts.like(name)
	return f"account {known.name if known else name}  (was there already; its password stays as it was)"


def refuse_key_beside_database(places: Places) -> None:
	"""
	:raises StoreError: GALLERY_KEY_BESIDE_DATABASE.
	"""
	if places.database.resolve().parent in places.gallery_key.resolve().parents:
		raise StoreError(Code.GALLERY_KEY_BESIDE_DATABASE, place=str(places.gallery_key))
