"""How frappe turns what a client sends into values, and values into what it answers."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone

from attendance_bridge.simulators.frappe_site.errors import crashed

_ISO = re.compile(
	r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?\s?(Z|[+-]\d\d:?\d\d)?)?"
)

_NO_DATES = ("0001-01-01", "0000-00-00")


def parse_datetime(value: object) -> datetime:
	"""`frappe.utils.get_datetime`: aware if the text states an offset.

	Only ISO 8601 dates are read. A real site hands everything else to dateutil, which guesses; a client
	should not live on guesses, so here they are unreadable.

	:raises SiteError: ParserError for text that is no time; AttributeError for what is no text or no date at
		all, of which frappe makes None and stumbles over it.
	"""
	if not isinstance(value, str) or not value or value.startswith(_NO_DATES):
		raise crashed("AttributeError", "'NoneType' object has no attribute 'replace'")
	found = _ISO.fullmatch(value.strip())
	if found is None:
		raise _unreadable("Unknown string format: {}", value)
	year, month, day, hour, minute, second, fraction, offset = found.groups()
	try:
		moment = datetime(  # noqa: DTZ001  # naive is the site's zone
			int(year),
			int(month),
			int(day),
			int(hour or 0),
			int(minute or 0),
			int(second or 0),
			int((fraction or "").ljust(6, "0")),
		)
		return moment if offset is None else moment.replace(tzinfo=_zone(offset))
	except ValueError as error:
		raise _unreadable(f"{error}: {{}}", value) from None


def _zone(offset: str) -> timezone:
	if offset == "Z":
		return timezone.utc
	hours, minutes = int(offset[1:3]), int(offset[-2:])
	distance = timedelta(hours=hours, minutes=minutes)
	return timezone(-distance if offset[0] == "-" else distance)


def _unreadable(template: str, value: str) -> Exception:
	return crashed("ParserError", template.format(value[:200]), module="dateutil.parser._parser")


def as_integer(value: object) -> int:
	"""`frappe.utils.cint`: 0 for what is no number."""
	return int(as_number(value))


def as_number(value: object) -> float:
	"""`frappe.utils.flt`: 0 for what is no number."""
	if not isinstance(value, (int, float, str)):
		return 0.0
	try:
		number = float(value)
	except (ValueError, OverflowError):
		return 0.0
	return number if math.isfinite(number) else 0.0


def as_json_value(value: object) -> object:
	"""A column's value as it stands in an answer."""
	return str(value) if isinstance(value, datetime) else value
