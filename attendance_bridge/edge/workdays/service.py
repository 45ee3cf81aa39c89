"""Puts the working days of an agent together, for its pages and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from attendance_bridge.core.driver import Now
from attendance_bridge.core.person import Everybody
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.settings import Device, DeviceSettings, Settings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.edge.vouching import vouched_by_all
from attendance_bridge.edge.workdays.book import Workdays
from attendance_bridge.edge.workdays.by_hand import PATIENCE, ByHand
from attendance_bridge.stores.agreements import Agreements
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.entered import EnteredPunches
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook
from attendance_bridge.stores.roster import Roster


def every_terminal(settings: Settings, database: Database, now: Now) -> list[Device]:
	"""All terminals of an agent that is not running here: configured, let in by the pairing list, the camera.

	:raises StoreError: the database cannot be used.
	"""
	terminals = Terminals(settings.devices)
	Pairing(PushBook(database), terminals, now=now).reload()
	found = list(terminals.all)
	camera = settings.vision.camera.settings.name if settings.vision is not None else None
	if camera is not None:
		device = DeviceSettings(name=camera, driver=EDGE_CAMERA, timezone=settings.agent.zone)
		found.append(Device(settings=device, config=None))
	return found


def make_workdays(
	settings: Settings, database: Database, terminals: Callable[[], Iterable[Device]], *, now: Now
) -> Workdays | None:
	"""None where a site counts working days.

	:param terminals: all there are, pushing ones and the camera included.
	"""
	rules = settings.working_days
	if rules is None:
		return None
	cursors, punches, book = SqliteCursors(database), PunchStore(database), DeviceBook(database)

	def serials() -> list[str]:
		known = book.serials()
		enabled = (each.settings for each in terminals() if each.settings.enabled)
		# One that was never seen has no watermark, and rightly vouches for nothing.
		return [known.get(each.name) or each.serial for each in enabled]

	return Workdays(
		rules=rules,
		zone=_zone(settings),
		ledger=SqliteLedger(database, direction=settings.rules.rules().direction),
		roster=Roster(database),
		agreements=Agreements(database),
		entered=EnteredPunches(database),
		takes_everybody=settings.upstream.takes_everybody,
		vouched_until=lambda: vouched_by_all(serials(), cursors, punches),
		now=now,
	)


def make_by_hand(
	settings: Settings,
	workdays: Workdays | None,
	roster: Roster,
	*,
	now: Now,
	on_punch: Callable[[], None] = lambda: None,
	patience: timedelta = PATIENCE,
) -> ByHand | None:
	"""None where check-ins go to a site or to another system: what is missing is entered there.

	:param on_punch, patience: see `ByHand`.
	"""
	if workdays is None:
		return None
	rules = settings.rules.rules()
	return ByHand(
		workdays,
		directory=Everybody if settings.upstream.takes_everybody else roster.directory,
		tolerance=rules.clock.tolerance,
		debounce=rules.debounce.window,
		now=now,
		on_punch=on_punch,
		patience=patience,
	)


def _zone(settings: Settings) -> ZoneInfo:
	"""Of the agent; where nobody has said, that of its terminals if they all have the same."""
	zones = {device.settings.timezone.key: device.settings.timezone for device in settings.devices}
	if settings.agent.timezone is None and len(zones) == 1:
		return next(iter(zones.values()))
	return settings.agent.zone
