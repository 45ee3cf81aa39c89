"""`attendance-bridge models …`: the model packs that recognition runs on."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from attendance_bridge.core.errors import BridgeError, Code, RecognitionError
from attendance_bridge.edge.messages import sentence
from attendance_bridge.recognition.download import install
from attendance_bridge.recognition.pack import MANIFEST, Manifest, known_manifests, known_texts, open_pack


def default_folder() -> Path:
	"""Where packs are kept unless somebody says otherwise."""
	data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
	return Path(data) / "attendance-bridge" / "models"


folder_option = click.option(
	"--folder",
	type=click.Path(path_type=Path, file_okay=False),
	default=default_folder,
	envvar="ATTENDANCE_BRIDGE_PACKS",
	help="Where packs are kept, each in a folder of its name.",
)


@click.group()
def models() -> None:
	"""Model packs for recognising faces. Nothing is ever fetched but by `download`."""


@models.command("list")
@folder_option
def list_packs(folder: Path) -> None:
	"""List the packs that are known, and which are here."""
	table = Table(box=None, pad_edge=False)
	for heading in ("pack", "here", "commercial use", "what it is"):
		table.add_column(heading)
	for name, manifest in known_manifests().items():
		here = "yes" if (folder / name / MANIFEST).is_file() else ""
		table.add_row(name, here, "yes" if manifest.commercial_use else "no", manifest.label)
	Console().print(table)


@models.command()
@click.argument("name")
def show(name: str) -> None:
	"""Show a pack: its licence, its files, and what its thresholds rest on."""
	show_manifest(_known(name))


@models.command()
@click.argument("name")
@click.option("--accept-licence", is_flag=True, help="Do not ask whether the licence is accepted.")
@click.option(
	"--from",
	"beside",
	type=click.Path(path_type=Path, file_okay=False, exists=True),
	help="A folder that is looked into for the files first.",
)
@folder_option
def download(name: str, accept_licence: bool, beside: Path | None, folder: Path) -> int:
	"""Fetch the networks of a pack, after its licence was read."""
	show_manifest(_known(name))
	if not accept_licence and not click.confirm("\nDo you accept these terms?"):
		click.echo("Nothing was fetched.")
		return 1
	told: set[str] = set()

	def on_piece(url: str, _count: int) -> None:
		if url not in told:
			told.add(url)
			click.echo(f"fetching {url}")

	pack = install(known_texts()[name], folder / name, beside=beside, on_piece=on_piece)
	click.echo(f"{name} is at {pack.folder}; every file is the one that its manifest names.")
	return 0


@models.command()
@click.argument("pack", type=click.Path(path_type=Path))
@folder_option
def verify(pack: Path, folder: Path) -> int:
	"""Check every file of a pack, by its name or its folder."""
	found = pack if (pack / MANIFEST).is_file() else folder / pack
	try:
		manifest = open_pack(found).manifest
	except BridgeError as error:
		click.echo(f"WRONG   {found}: {sentence(error)}")
		return 6
	for file in manifest.files:
		click.echo(f"ok      {file.name}  {file.sha256}")
	return 0


def _known(name: str) -> Manifest:
	manifest = known_manifests().get(name)
	if manifest is None:
		raise RecognitionError(Code.MODEL_NOT_OFFERED, pack=name)
	return manifest


def show_manifest(manifest: Manifest) -> None:
	"""Print what a pack is, its licence first."""
	click.echo(f"{manifest.name} {manifest.version}: {manifest.label}\n")
	use = "commercial use allowed" if manifest.commercial_use else "NO COMMERCIAL USE"
	click.echo(f"Licence: {manifest.licence} ({use})\n{manifest.notice.strip()}\n")
	for file in manifest.files:
		source = file.url or "nowhere to fetch it from: bring it yourself, with --from"
		click.echo(f"  {file.name}  {file.bytes:,} bytes\n    sha256 {file.sha256}\n    {source}")
	if manifest.embedder is not None:
		_show_thresholds(manifest)


def _show_thresholds(manifest: Manifest) -> None:
	if manifest.embedder is None or not manifest.embedder.thresholds:
		click.echo("  thresholds: none were measured; `threshold` must be set in the configuration")
		return
	click.echo(f"  thresholds, measured on {manifest.embedder.measured_on}:")
	for each in manifest.embedder.thresholds:
		click.echo(f"    cosine {each.cosine:.3f} at a false-match rate of {each.fmr:g}")
