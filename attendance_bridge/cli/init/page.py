"""The questions about the agent's pages: who reaches them, how safely, and who may log in."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.cli.init.questions import Questions
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge.certificates import read_certificate
from attendance_bridge.edge.web.access import passwords
from attendance_bridge.edge.web.access.names import check_name

HERE, LAN, OFF = "here", "lan", "off"
WHERE = {
	HERE: "this machine only (its own screen, or through a tunnel)",
	LAN: "the local network, encrypted and with a login",
	OFF: "no pages at all",
}
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what the user chose


@dataclass(frozen=True, kw_only=True)
class PageAnswers:
	"""What the options said."""

	where: str | None
	port: int
	names: tuple[str, ...]
	certificate: Path | None
	key: Path | None
	account: str | None
	password_file: Path | None


@dataclass(frozen=True, kw_only=True)
class Page:
	table: dict[str, object]
	"""`[web]`, but for a certificate that is still to be made."""
	make_certificate: tuple[str, ...] = ()
	"""By what names, where one is to be made."""
	account: str = ""
	"""The first account; empty for none."""
	password: Secret | None = None


def ask_page(questions: Questions, given: PageAnswers, *, sees: bool) -> Page:
	"""
	:param sees: whether the agent has a camera, so that people are enrolled on its pages.
	:raises ConfigError: the port is taken, the certificate or the password cannot be used, and nobody can be
		asked again.
	"""
	questions.heading("The pages")
	where = questions.choose("--page", "Who shall reach them", WHERE, given.where, default=HERE)
	if where == OFF:
		return Page(table={"enabled": False})
	host = EVERYWHERE if where == LAN else "127.0.0.1"
	questions.until(lambda: given.port, lambda port: _refuse_taken_port(host, port), repeat=False)
	table: dict[str, object] = {"host": host, "port": given.port}
	made: tuple[str, ...] = ()
	if where == LAN:
		names = given.names or tuple(_ask_names(questions))
		table["names"] = " ".join(names)
		if given.certificate is not None:
			facts = read_certificate(given.certificate)
			questions.right(
				f"The certificate is for {', '.join(facts.names)}, until {facts.ends_at:%Y-%m-%d}."
			)
			table |= {
				"tls_cert": str(given.certificate.absolute()),
				"tls_key": str(_key_of(given).absolute()),
			}
		else:
			made = names
			questions.note("A certificate is made that browsers ask about once.")
	account, password = _ask_account(questions, given, needed=where == LAN, wanted=sees)
	return Page(table=table, make_certificate=made, account=account, password=password)


def _key_of(given: PageAnswers) -> Path:
	if given.key is None:
		raise ConfigError(Code.MISSING_KEY, path="--tls-key", help="certificate and key go together")
	return given.key


def _refuse_taken_port(host: str, port: int) -> None:
	family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
	with socket.socket(family) as trial:
		trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			trial.bind((host, port))
		except OSError as error:
			raise ConfigError(
				Code.BAD_VALUE, path="--page-port", expected=f"a free port ({port}: {error.strerror})"
			) from None


def _ask_names(questions: Questions) -> list[str]:
	"""By what browsers call this machine."""
	host = socket.gethostname().lower()
	known = " ".join(dict.fromkeys([host, f"{host.partition('.')[0]}.local", *_own_address()]))
	return questions.text("--page-name", "By what names browsers call it", default=known).lower().split()


def _own_address() -> list[str]:
	"""The address towards the default route; nothing is sent."""
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
		try:
			trial.connect(("192.0.2.1", 9))  # of the block for documentation: nobody has it
		except OSError:
			return []
		return [str(trial.getsockname()[0])]


def _ask_account(
	questions: Questions, given: PageAnswers, *, needed: bool, wanted: bool
) -> tuple[str, Secret | None]:
	if given.account is None and not needed:
		if wanted and not questions.asks:
			questions.note("Enrolling needs a login: attendance-bridge edge user add makes one.")
			return "", None
		if not questions.yes("Make an account? Enrolling and correcting need a login.", default=wanted):
			return "", None
	elif needed and given.account is None:
		questions.note("Somebody must be able to log in: an account that may do everything.")
	try:
		name = check_name(questions.text("--account", "Its name", given.account))
	except ValueError as error:
		raise ConfigError(Code.BAD_VALUE, path="--account", expected=str(error)) from None
	question = f"Its password, {passwords.SHORTEST} characters or more (not shown)"

	def ask() -> Secret:
		found = questions.secret("--account-password-file", question, given.password_file, confirmed=True)
		return found or Secret("")

	return name, questions.until(ask, _refuse_bad_password, repeat=given.password_file is None)


def _refuse_bad_password(password: Secret) -> None:
	if not passwords.SHORTEST <= len(password.reveal()) <= passwords.LONGEST:
		raise ConfigError(
			Code.BAD_VALUE,
			path="--account-password-file",
			expected=f"a password of {passwords.SHORTEST} to {passwords.LONGEST} characters (a few words)",
		)
