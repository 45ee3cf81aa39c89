"""`frappe.get_list` over rows in memory: fields, filters, order, limit, with MariaDB's NULLs and collation.

Rules after `frappe.model.db_query` of v15. Three of them surprise: without `order_by` a REST list has no
order at all; a `limit_page_length` of 0 means all rows; in `between`, a time written with a T is cut to its
date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from typing import Any

from attendance_bridge.simulators.frappe_site.collation import fold, like_pattern
from attendance_bridge.simulators.frappe_site.doctypes import DocType, Kind
from attendance_bridge.simulators.frappe_site.errors import (
	BAD_DATE,
	BAD_DATE_TITLE,
	BAD_FIELD,
	BAD_OPERATOR,
	BAD_ORDER,
	NotPlayedError,
	SiteError,
	bad_sql,
	crashed,
	thrown,
	unknown_column,
)
from attendance_bridge.simulators.frappe_site.values import (
	as_integer,
	as_json_value,
	as_number,
	parse_datetime,
)

Test = Callable[[Any], bool]

OPERATORS = ("=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between")
_OPERATORS_NOT_PLAYED = ("timespan", "previous", "next", "ancestors of", "descendants of")
_ORDER = re.compile(r"(?:`tab[^`.]+`\.)?`?([a-z_]\w*)`?(?:\s+(asc|desc))?", re.IGNORECASE)
_WORDS = re.compile(r"[a-z_`.\s][\w`.\s]*|", re.IGNORECASE)
_FIELD = re.compile(r"(?:`tab[^`.]+`\.)?`?(\w+|\*)`?(?:\s+as\s+`?(\w+)`?)?", re.IGNORECASE)
_MAX_LIMIT = 2**64 - 1
"""The database takes no longer number after LIMIT and OFFSET."""
_NULLS: Mapping[Kind, object] = {Kind.TEXT: "", Kind.NUMBER: 0.0, Kind.DATETIME: datetime(1, 1, 1)}  # noqa: DTZ001
"""What `ifnull(column, …)` puts in the place of NULL."""


@dataclass(frozen=True, slots=True)
class Condition:
	"""One filter, ready to be tested."""

	column: str
	operator: str
	value: Any
	test: Test

	@property
	def exact_values(self) -> list[Any] | None:
		"""The values that `=` or `in` ask for, for an index; None for other operators."""
		if self.operator == "=":
			return [self.value]
		if self.operator == "in":
			return _as_list(self.value)
		return None


def parse_conditions(doctype: DocType, filters: object) -> list[Condition]:
	"""Read `filters`: JSON text or its value; a list of conditions, or a mapping of field to value.

	:raises SiteError: what a real site answers to filters that it does not take.
	"""
	if isinstance(filters, str):
		filters = load_json(filters) if filters else []
	if filters is None:
		return []
	if isinstance(filters, Mapping):
		filters = [_from_mapping(name, value) for name, value in filters.items()]
	if not isinstance(filters, Sequence):
		raise crashed("TypeError", f"'{type(filters).__name__}' object is not iterable")
	return [_parse_condition(doctype, condition) for condition in filters]


def _from_mapping(name: str, value: object) -> list[object]:
	if isinstance(value, list):
		return [name, *value[:2]]
	return [name, "=", value]


def _parse_condition(doctype: DocType, condition: object) -> Condition:
	if not isinstance(condition, list) or len(condition) < 3:
		raise NotPlayedError("a filter that is not [field, operator, value]")
	name, operator, value = condition[:3] if len(condition) == 3 else condition[1:4]
	if len(condition) > 3 and condition[0] != doctype.name:
		raise NotPlayedError("filters on another document type")
	column = str(name).strip("`")
	kind = doctype.columns.get(column)
	if kind is None:
		raise thrown(BAD_FIELD, column, exc_type="DataError")
	operator = str(operator or "=").lower()
	if operator.removeprefix("not ").startswith(_OPERATORS_NOT_PLAYED):
		raise NotPlayedError(operator)
	if operator not in OPERATORS:
		raise thrown(BAD_OPERATOR, ", ".join(OPERATORS))
	return Condition(column, operator, value, _compile(kind, operator, value))


def _compile(kind: Kind, operator: str, value: Any) -> Test:
	if operator == "is":
		return _compile_is(value)
	if operator in ("in", "not in"):
		return _compile_in(kind, operator, value)
	if operator in ("like", "not like"):
		return _compile_like(operator, value)
	if operator == "between":
		return _compile_between(kind, value)
	return _compile_comparison(kind, operator, value)


def _compile_is(value: object) -> Test:
	if value not in ("set", "not set"):
		raise bad_sql("''")
	wants_value = value == "set"
	return lambda held: (held not in (None, "")) is wants_value


def _compile_in(kind: Kind, operator: str, value: Any) -> Test:
	wanted = {_lenient_key(kind, each) for each in _as_list(value)} - {None}
	negated = operator == "not in"

	def test(held: Any) -> bool:
		return (_key(kind, held) in wanted) is not negated

	return test


def _compile_like(operator: str, value: object) -> Test:
	pattern = like_pattern("" if value is None else str(value))
	negated = operator == "not like"

	def test(held: Any) -> bool:
		if held is None and value and not negated:
			return False
		return (pattern.fullmatch(fold(_text(held))) is not None) is not negated

	return test


def _compile_between(kind: Kind, value: Any) -> Test:
	if kind is not Kind.DATETIME:
		raise bad_sql("order by")
	bounds = value if isinstance(value, list) else []
	if len(bounds) != 2:
		raise NotPlayedError("between without two bounds: it would mean today")
	first = _between_bound(bounds[0], time.min)
	last = _between_bound(bounds[1], time.max)
	return lambda held: held is not None and first <= held <= last


def _between_bound(value: object, time_of_day: time) -> datetime:
	if value is None:
		raise NotPlayedError("between without two bounds: it would mean today")
	text = str(value).strip()
	try:
		moment = parse_datetime(text).replace(tzinfo=None)
	except SiteError:
		raise thrown(BAD_DATE, text, title=BAD_DATE_TITLE) from None
	# Only a space tells frappe that there is a time in the text.
	return moment if " " in text else datetime.combine(moment.date(), time_of_day)


def _compile_comparison(kind: Kind, operator: str, value: Any) -> Test:
	if isinstance(value, (list, dict)):
		raise bad_sql(str(value))
	wanted: Any = _key(kind, value)
	# NULL takes part in comparisons as an empty value, but for these two.
	null_never_matches = (operator == "=" and bool(value)) or (
		operator in (">", ">=") and kind is Kind.DATETIME
	)

	def test(held: Any) -> bool:
		if held is None and null_never_matches:
			return False
		return _COMPARE[operator](_key(kind, held), wanted)

	return test


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
	"=": lambda held, wanted: bool(held == wanted),
	"!=": lambda held, wanted: bool(held != wanted),
	">": lambda held, wanted: bool(held > wanted),
	"<": lambda held, wanted: bool(held < wanted),
	">=": lambda held, wanted: bool(held >= wanted),
	"<=": lambda held, wanted: bool(held <= wanted),
}


def _key(kind: Kind, value: Any) -> object:
	"""What a value of a column, or one that it is compared with, is compared by."""
	if value is None or value == "":
		return _NULLS[kind]
	if kind is Kind.TEXT:
		return fold(_text(value))
	if kind is Kind.NUMBER:
		return as_number(value)
	return value if isinstance(value, datetime) else parse_datetime(value).replace(tzinfo=None)


def _lenient_key(kind: Kind, value: Any) -> object:
	"""As `_key` for a member of an `in` list: frappe hands it over as text, and the database matches nothing
	with what it cannot read."""
	text = _text(value).strip()
	try:
		return _key(kind, text)
	except SiteError:
		return None


def readable_times(values: Iterable[Any]) -> set[datetime]:
	"""Those of the members of an `in` list that are times, naive."""
	keys = (_lenient_key(Kind.DATETIME, value) for value in values)
	return {key for key in keys if isinstance(key, datetime)}


def _text(value: object) -> str:
	return "" if value is None else str(value)


def _as_list(value: Any) -> list[Any]:
	if isinstance(value, str):
		return value.split(",")
	return list(value) if isinstance(value, list) else [] if value is None else [value]


def parse_fields(doctype: DocType, fields: object) -> dict[str, str]:
	"""Read `fields` into key in the answer → column; without any, `name` alone.

	:raises SiteError: as a real site.
	"""
	if isinstance(fields, str):
		fields = ["*"] if fields == "*" else load_json(fields)
	if not fields:
		return {"name": "name"}
	if not isinstance(fields, (list, dict)):
		raise crashed("TypeError", f"'{type(fields).__name__}' object is not iterable")
	chosen: dict[str, str] = {}
	for field in fields:
		if not isinstance(field, str):
			kind = type(field).__name__
			raise crashed("TypeError", f"expected string or bytes-like object, got '{kind}'")
		found = _FIELD.fullmatch(field.strip())
		if found is None:
			raise NotPlayedError(f"field {field[:80]!r}")
		column, alias = found.groups()
		if column == "*":
			chosen.update({each: each for each in doctype.columns})
		elif column not in doctype.columns:
			raise thrown(BAD_FIELD, column, exc_type="DataError")
		else:
			chosen[alias or column] = column
	return chosen


def select(rows: Iterable[Any], conditions: Sequence[Condition]) -> Iterator[Any]:
	"""Those of `rows` that meet all conditions."""
	for row in rows:
		if all(condition.test(getattr(row, condition.column, None)) for condition in conditions):
			yield row


def arrange(doctype: DocType, rows: Iterable[Any], order_by: object) -> Iterable[Any]:
	"""Sort as `order_by` says ("time asc, name desc"); without it the order is left to chance.

	:raises SiteError: as a real site.
	"""
	if not order_by:
		return rows
	if ";" in str(order_by):
		raise thrown(BAD_ORDER)
	arranged = list(rows)
	for part in reversed(str(order_by).split(",")):
		found = _ORDER.fullmatch(part.strip())
		if found is None:
			if not _WORDS.fullmatch(part):
				raise NotPlayedError("order_by with more than columns in it")
			raise bad_sql(part.strip())
		column, direction = found.groups()
		kind = doctype.columns.get(column)
		if kind is None:
			raise unknown_column(column, "ORDER BY")
		arranged.sort(key=_sort_key(column, kind), reverse=(direction or "").lower() == "desc")
	return arranged


def _sort_key(column: str, kind: Kind) -> Callable[[Any], Any]:
	def key(row: Any) -> tuple[bool, Any]:
		held = getattr(row, column, None)
		return held is not None, _key(kind, held)

	return key


def cut(rows: Iterable[Any], start: object, length: object) -> Iterator[Any]:
	"""The page that begins at `start` and has `length` rows; a length of 0 means all.

	:raises SiteError: as a real site.
	"""
	first, count = as_integer(start), as_integer(length)
	if not (0 <= first <= _MAX_LIMIT and 0 <= count <= _MAX_LIMIT):
		raise bad_sql(str(first))
	if not count:
		# Without a limit the statement has no offset either.
		return iter(rows)
	# islice takes no number beyond this; the database does, and finds as many rows there.
	return islice(rows, min(first, sys.maxsize), min(first + count, sys.maxsize))


def project(rows: Iterable[Any], fields: Mapping[str, str]) -> list[dict[str, object]]:
	"""The rows as they stand in an answer: NULL as null, times as text."""
	return [
		{key: as_json_value(getattr(row, column, None)) for key, column in fields.items()} for row in rows
	]


def load_json(text: str) -> Any:
	"""
	:raises SiteError: no JSON, which frappe lets crash.
	"""
	try:
		return json.loads(text)
	except (ValueError, RecursionError) as error:
		raise crashed("JSONDecodeError", str(error), module="json.decoder") from None
