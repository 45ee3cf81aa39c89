"""The command `edge init`."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from attendance_bridge.cli.init import writing
from attendance_bridge.cli.init.page import WHERE, Page, PageAnswers, ask_page
from attendance_bridge.cli.init.questions import Questions
from attendance_bridge.cli.init.site import Receiver, SiteAnswers, ask_receiver
from attendance_bridge.cli.init.terminals import ask_terminals, terminal_option
from attendance_bridge.cli.init.writing import Places
from attendance_bridge.cli.options import ZoneType, local_zone
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.setup.configuration_file import Laid
from attendance_bridge.edge.setup.site import BRIDGE, REST

if TYPE_CHECKING:
	from attendance_bridge.cli.init.camera import Eyes

FILE = click.Path(path_type=Path, dir_okay=False)
THERE = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)
ZONE = ZoneType()


@click.command()
@click.option("--config", type=FILE, default="edge.toml", show_default=True, help="To be written.")
@click.option(
	"--secrets", type=FOLDER, help="Folder for secrets; by default `secrets` beside the configuration."
)
@click.option(
	"--database", type=FILE, help="By default below /var/lib for a configuration in /etc, else `data`."
)
@click.option("--overwrite", is_flag=True, help="Replace a configuration that is there, without asking.")
@click.option("--untested", is_flag=True, help="Write down also what fails its test.")
@click.option("--no-input", is_flag=True, help="Ask nothing, although there is a terminal.")
@click.option("--as-root", is_flag=True, help="Let the files belong to root (in a container).")
@click.option("--name", help="How this agent is called.")
@click.option(
	"--timezone", "zone", type=ZONE, help="Of the place where the agent stands; by default the site's."
)
@click.option("--site", help="Address of the ERPNext site.")
@click.option("--local", is_flag=True, help="No site: check-ins stay on this machine.")
@click.option("--people", type=THERE, help="With --local: CSV file with the people.")
@click.option("--site-key-file", type=FILE, help="File with the API key.")
@click.option("--site-secret-file", type=FILE, help="File with the API secret.")
@click.option("--site-kind", type=click.Choice([BRIDGE, REST]), help="Found out by itself where left out.")
@click.option("--site-timezone", type=ZONE, help="Of a site without this app, if it is not to be asked.")
@click.option(
	"--site-ca-file", type=THERE, help="PEM file with the authority that signed the site's certificate."
)
@terminal_option
@click.option(
	"--camera",
	metavar="KEY=VALUE,…",
	help="kind=v4l2,device=/dev/video0 or kind=picamera2 or kind=rtsp,host=…,user=…,password_file=…",
)
@click.option("--pack", help="Model pack: a name that `models list` knows, a folder, or tiny (drawn faces).")
@click.option(
	"--packs",
	type=FOLDER,
	envvar="ATTENDANCE_BRIDGE_PACKS",
	help="Where packs are kept; by default `models` beside the database.",
)
@click.option("--packs-from", type=FOLDER, help="Folder that is looked into for the files of the pack first.")
@click.option("--accept-licence", is_flag=True, help="The terms of the pack were read and are accepted.")
@click.option(
	"--threshold", type=click.FloatRange(0.05, 0.99), help="Least cosine, for a pack that states none."
)
@click.option("--gallery-key", type=FILE, help="Key of the face templates; made if there is none.")
@click.option(
	"--page", type=click.Choice(list(WHERE)), help="Who reaches the pages: this machine, the LAN, nobody."
)
@click.option("--page-port", type=click.IntRange(1, 65_535), default=8377, show_default=True)
@click.option(
	"--page-name", "page_names", multiple=True, help="By what browsers call this machine in the LAN."
)
@click.option("--tls-cert", type=THERE, help="Certificate of the pages; by default one is made.")
@click.option("--tls-key", type=THERE, help="Its key.")
@click.option("--account", help="The first account of the pages; may do everything.")
@click.option("--account-password-file", type=FILE, help="File with its password.")
def init(**options: Any) -> None:
	"""Set an agent up: asks, tries every answer at once, and writes the configuration.

	Each question is an option as well; without a terminal, what has no option takes its default or is named.
	Secrets are never options: they are typed, or read from files, and kept in files of their own.

	\b
	attendance-bridge edge init --config /etc/attendance-bridge/edge.toml
	"""
	_refuse_root(options)
	places = _places(options)
	_refuse_unwritable(places)
	asks = sys.stdin.isatty() and not options["no_input"]
	questions = Questions(asks=asks, untested=options["untested"])
	_ask_about_old(questions, places, overwrite=options["overwrite"])
	click.echo(
		"Every answer is tried at once. Nothing is written before the end; Ctrl-C leaves all as it is."
	)
	questions.heading("The agent")
	name = questions.text("--name", "What is it called", options["name"], default=socket.gethostname())
	receiver = ask_receiver(questions, _site_answers(options))
	zone = _ask_zone(questions, options["zone"], receiver)
	devices = ask_terminals(questions, options["terminals"], zone=zone.key, site_assigns=receiver.assigns)
	eyes = _ask_eyes(questions, options, places)
	page = ask_page(questions, _page_answers(options), sees=eyes is not None)
	if eyes is not None:
		writing.refuse_key_beside_database(places)
	tables = _tables(places, name, zone, receiver, devices, eyes, page)
	# With the secrets in hand: whatever does not go together is said before anything is written.
	edge_settings.from_mapping(tables)
	laid = writing.lay(places, tables)
	_write(questions, places, laid, page, sees=eyes is not None, overwrite=options["overwrite"])
	_tell_next_step(places, page, sees=eyes is not None)


def _refuse_root(options: dict[str, Any]) -> None:
	if os.geteuid() == 0 and not options["as_root"]:
		raise click.UsageError(
			"You are root, and the agent must not be: it could not read what root writes here. Run this as "
			"the user of the service:\n"
			f"  sudo -u attendance-bridge {sys.argv[0]} edge init --config {options['config']}\n"
			"In a container that knows no other user, add --as-root."
		)


def _places(options: dict[str, Any]) -> Places:
	config: Path = options["config"].absolute()
	secrets: Path = (options["secrets"] or config.parent / "secrets").absolute()
	return Places(
		config=config,
		secrets=secrets,
		database=(options["database"] or _usual_database(config)).absolute(),
		gallery_key=(options["gallery_key"] or secrets / "gallery.key").absolute(),
	)


def _usual_database(config: Path) -> Path:
	etc = Path("/etc")
	if etc in config.parents and config.parent != etc:
		return Path("/var/lib") / config.parent.name / "edge.db"
	return config.parent / "data" / "edge.db"


def _refuse_unwritable(places: Places) -> None:
	"""Before twenty questions are answered."""
	for folder in (places.config.parent, places.secrets, places.database.parent):
		there = next(each for each in (folder, *folder.parents) if each.exists())
		if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
			raise click.UsageError(
				f"This user may not write into {there}, where {folder} belongs. Make the folder and give it "
				"to the user of the service; docs/edge-install.md has the commands."
			)


def _ask_about_old(questions: Questions, places: Places, *, overwrite: bool) -> None:
	if not places.config.exists() or overwrite:
		return
	if not questions.asks:
		raise click.UsageError(f"{places.config} is there already. With --overwrite it is replaced.")
	click.echo(f"{places.config} is there already.")
	if not click.confirm(f"Replace it? It is kept as {places.before.name}.", default=False):
		raise click.UsageError("Nothing was changed.")


def _ask_zone(questions: Questions, given: ZoneInfo | None, receiver: Receiver) -> ZoneInfo:
	"""Of the place: the camera's wall, and terminals unless they say otherwise."""
	usual = receiver.zone or local_zone().key
	zone = given
	while zone is None:
		name = questions.text("--timezone", "Time zone of this place", default=usual)
		try:
			zone = ZoneInfo(name)
		except (ValueError, OSError, LookupError):
			questions.wrong(f"{name} is no time zone; Asia/Dubai or Europe/Berlin would be one.")
	if receiver.zone and zone.key != receiver.zone:
		questions.note(f"The site keeps {receiver.zone}, this place {zone.key}: right if they are apart.")
	return zone


def _site_answers(options: dict[str, Any]) -> SiteAnswers:
	return SiteAnswers(
		url=options["site"],
		local=options["local"],
		people=options["people"],
		key_file=options["site_key_file"],
		secret_file=options["site_secret_file"],
		kind=options["site_kind"],
		zone=options["site_timezone"],
		ca_file=options["site_ca_file"],
	)


def _ask_eyes(questions: Questions, options: dict[str, Any], places: Places) -> Eyes | None:
	# What it needs is heavy, and not there on a machine that only relays terminals.
	try:
		from attendance_bridge.cli.init.camera import CameraAnswers, ask_eyes
	except ModuleNotFoundError as error:
		needed = ConfigError(Code.NOT_INSTALLED, package=error.name or "numpy", extra="recognition")
		if options["camera"] is not None:
			raise needed from None
		questions.note(f"No camera. {sentence(needed)}")
		return None
	answers = CameraAnswers(
		camera=options["camera"],
		pack=options["pack"],
		packs=(options["packs"] or places.database.parent / "models").absolute(),
		packs_from=options["packs_from"],
		accept_licence=options["accept_licence"],
		threshold=options["threshold"],
		key_file=places.gallery_key,
	)
	return ask_eyes(questions, answers)


def _page_answers(options: dict[str, Any]) -> PageAnswers:
	return PageAnswers(
		where=options["page"],
		port=options["page_port"],
		names=options["page_names"],
		certificate=options["tls_cert"],
		key=options["tls_key"],
		account=options["account"],
		password_file=options["account_password_file"],
	)


def _tables(
	places: Places,
	name: str,
	zone: ZoneInfo,
	receiver: Receiver,
	devices: list[dict[str, object]],
	eyes: Eyes | None,
	page: Page,
) -> dict[str, object]:
	web = dict(page.table)
	if page.make_certificate:
		web |= {"tls_cert": str(places.certificate), "tls_key": str(places.certificate_key)}
	tables: dict[str, object] = {
		"agent": {"name": name, "database": str(places.database), "timezone": zone.key},
		"upstream": receiver.table,
		"web": web,
	}
	if eyes is not None:
		tables |= {"camera": eyes.camera, "recognition": eyes.recognition, "gallery": eyes.gallery}
	return {**tables, "devices": devices} if devices else tables


def _write(
	questions: Questions, places: Places, laid: Laid, page: Page, *, sees: bool, overwrite: bool
) -> None:
	others = [path for path in writing.in_the_way(places, laid) if path != places.config]
	if others and not overwrite and not places.config.exists():
		if not questions.asks:
			raise click.UsageError(f"{others[0]} is there already. With --overwrite it is replaced.")
		click.confirm(f"\n{', '.join(map(str, others))} would be replaced. Go on?", abort=True)
	click.echo("\nWritten:")
	try:
		for line in writing.write(places, laid, page, sees=sees):
			click.echo(f"   {line}")
	except OSError as error:
		raise click.ClickException(
			f"{error.filename or places.config} cannot be written: {error.strerror}. The configuration was "
			"not changed."
		) from None


def _tell_next_step(places: Places, page: Page, *, sees: bool) -> None:
	click.echo("\nNext:")
	click.echo(f"   attendance-bridge edge check --config {places.config}")
	click.echo(f"   attendance-bridge edge run --config {places.config}")
	if str(places.config) == "/etc/attendance-bridge/edge.toml":
		click.echo("or, as a service: sudo systemctl enable --now attendance-bridge")
	if page.table.get("enabled", True):
		host = page.make_certificate[0] if page.make_certificate else "127.0.0.1"
		scheme = "https" if "tls_cert" in page.table or page.make_certificate else "http"
		click.echo(f"The pages: {scheme}://{host}:{page.table['port']}/")
	if sees:
		click.echo(f"Copy {places.gallery_key} to a safe place, apart from every backup of the database.")
