"""What a terminal does when it is told to: the commands of both dialects, and what it answers.

Fields are joined by tabs; with spaces a command is refused (-1002), a table that the model does not know is
refused with -1004 (s0x90/zkteco-adms, measured on a SpeedFace-V5L). The answer to a query comes in requests
of its own; its `Return` is then the number of records, so that 0 says "none" and every number from 0 on is a
success. `Shell` is counted and never carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from attendance_bridge.simulators.adms_terminal import rows
from attendance_bridge.simulators.adms_terminal.rows import Template, User
from attendance_bridge.simulators.adms_terminal.state import AdmsState, Dialect
from attendance_bridge.simulators.zkteco.wire import decode_time

OK, NO_DATA, BAD_SYNTAX, NO_TABLE, NO_USER = 0, -1, -1002, -1004, -10
_LINE = re.compile(r"C:([A-Za-z0-9]{1,16}):(.*)")
_SPACED_KEY = re.compile(
	r" (?:PIN|Pin|Name|Pri|Privilege|Passwd|Password|Card|CardNo|Grp|Group|FID|TMP|Tmp)="
)
_USER_TABLES = frozenset({"USERINFO", "user"})
_TEMPLATE_TABLES = frozenset({"FINGERTMP", "BIODATA", "biodata", "FACE", "templatev10"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
	"""One request that answers a query."""

	table: str
	lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
	code: int
	echo: str
	"""What stands behind CMD= in the answer."""
	extra: tuple[str, ...] = ()
	"""Lines that follow it."""
	packs: tuple[Pack, ...] = field(default=())
	greets_again: bool = False
	uploads_now: bool = False


def read(text: str) -> list[tuple[str, str]]:
	"""(id, command) of every command in an answer to getrequest; `OK` has none."""
	found = (_LINE.fullmatch(line.strip("\r")) for line in text.split("\n"))
	return [(match[1], match[2]) for match in found if match]


def carry_out(state: AdmsState, command: str) -> Outcome:
	"""Do it, or say why not."""
	verb, _, rest = command.partition(" ")
	serve = _VERBS.get(verb)
	if verb.lower() == "shell":
		state.count("shell")
		return Outcome(code=BAD_SYNTAX, echo="Shell")
	if serve is None:
		return Outcome(code=BAD_SYNTAX, echo=verb[:16])
	return serve(state, rest)


def _data(state: AdmsState, rest: str) -> Outcome:
	verb, _, rest = rest.partition(" ")
	table, _, record = rest.partition(" ")
	if table.startswith("tablename="):
		table, record = _query_of_security(rest)
	if verb not in _DATA_VERBS or _SPACED_KEY.search(record):
		return Outcome(code=BAD_SYNTAX, echo="DATA")
	fields = _fields(record)
	return _DATA_VERBS[verb](state, table, fields)


def _query_of_security(text: str) -> tuple[str, str]:
	"""Table and condition of `tablename=user,fielddesc=*,filter=Pin=1`."""
	parts = dict(part.partition("=")[::2] for part in text.split(",", 2))
	condition = parts.get("filter", "*")
	return parts["tablename"], "" if condition == "*" else condition


def _fields(record: str) -> dict[str, str]:
	"""Keys in lower case: the dialects spell them differently."""
	pairs = (part.partition("=") for part in record.split("\t") if "=" in part)
	return {name.strip().lower(): value for name, _, value in pairs}


def _update(state: AdmsState, table: str, fields: dict[str, str]) -> Outcome:
	if table in _USER_TABLES:
		return Outcome(code=_put_user(state, fields), echo="DATA")
	if table in _TEMPLATE_TABLES:
		return Outcome(code=_put_template(state, table, fields), echo="DATA")
	return Outcome(code=NO_TABLE, echo="DATA")


def _put_user(state: AdmsState, fields: dict[str, str]) -> int:
	user_id = fields.get("pin", "")
	old = state.find_user(user_id) or User(user_id)
	privilege = fields.get("pri", fields.get("privilege", str(old.privilege)))
	if not privilege.isdecimal():
		return BAD_SYNTAX
	try:
		state.put_user(
			User(
				user_id,
				fields.get("name", old.name),
				int(privilege),
				fields.get("passwd", fields.get("password", old.password)),
				fields.get("card", fields.get("cardno", old.card)),
				fields.get("grp", fields.get("group", old.group)) or "1",
			)
		)
	except ValueError:
		return BAD_SYNTAX
	return OK


def _put_template(state: AdmsState, table: str, fields: dict[str, str]) -> int:
	user_id, content = fields.get("pin", ""), fields.get("tmp", fields.get("template", ""))
	if state.find_user(user_id) is None:
		return NO_USER
	size = fields.get("size")
	if not content or (size is not None and size != str(len(content))):
		return -9
	is_finger = table in ("FINGERTMP", "templatev10")
	number = fields.get("fid", fields.get("no", "0"))
	kind = "1" if is_finger else fields.get("type", "9")
	major = "10" if is_finger else fields.get("majorver", "0")
	if not (number.isdecimal() and kind.isdecimal() and major.isdecimal()):
		return BAD_SYNTAX
	if kind == "1" and major != "10":
		return -30
	with state.lock:
		same = (user_id, int(kind), int(number))
		state.templates = [one for one in state.templates if (one.user_id, one.kind, one.number) != same]
		state.templates.append(Template(user_id, int(kind), int(number), int(major), 0, content))
	return OK


def _delete(state: AdmsState, table: str, fields: dict[str, str]) -> Outcome:
	user_id = fields.get("pin", "")
	if table in _TEMPLATE_TABLES:
		with state.lock:
			state.templates = [one for one in state.templates if one.user_id != user_id]
		return Outcome(code=OK, echo="DATA")
	if table not in _USER_TABLES:
		return Outcome(code=NO_TABLE, echo="DATA")
	if not user_id:
		return Outcome(code=BAD_SYNTAX, echo="DATA")
	everybody = tuple(user.user_id for user in state.users()) if user_id == "*" else (user_id,)
	for each in everybody:
		state.remove_user(each)
	return Outcome(code=OK, echo="DATA")


def _query(state: AdmsState, table: str, fields: dict[str, str]) -> Outcome:
	serve = _QUERIES.get(table)
	if serve is None:
		return Outcome(code=NO_TABLE, echo="DATA")
	lines = tuple(serve(state, fields))
	size = state.rows_per_post
	packs = tuple(
		Pack(table=table, lines=lines[start : start + size]) for start in range(0, len(lines), size)
	)
	none = NO_DATA if state.dialect is Dialect.ATTENDANCE else OK
	return Outcome(code=len(lines) or none, echo="DATA", packs=packs)


def _query_users(state: AdmsState, fields: dict[str, str]) -> Iterable[str]:
	wanted = fields.get("pin")
	for number, user in enumerate(state.users(), 1):
		if wanted in (None, "", user.user_id):
			yield rows.user_2(user) if state.dialect is Dialect.ATTENDANCE else rows.user_3(user, number)


def _query_log(state: AdmsState, fields: dict[str, str]) -> Iterable[str]:
	start, end = _time(fields.get("starttime")), _time(fields.get("endtime"))
	for entry in state.entries():
		if (start and entry.wall_time < start) or (end and entry.wall_time > end):
			continue
		if state.dialect is Dialect.SECURITY:
			yield rows.transaction(entry)
		elif entry.is_punch:
			yield rows.attlog(entry, state.attlog_columns)


def _query_templates(state: AdmsState, fields: dict[str, str]) -> Iterable[str]:
	user_id, kind = fields.get("pin"), fields.get("type")
	for one in tuple(state.templates):
		if user_id in (None, "", one.user_id) and kind in (None, "", str(one.kind)):
			yield rows.template(one, lower_case=state.dialect is Dialect.SECURITY)


def _time(text: str | None) -> datetime | None:
	try:
		return None if text is None else datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
	except ValueError:
		return None


def _info(state: AdmsState, _rest: str) -> Outcome:
	extra = tuple(f"{name}={value}" for name, value in state.options().items())
	return Outcome(code=OK, echo="INFO", extra=extra)


def _check(_state: AdmsState, _rest: str) -> Outcome:
	return Outcome(code=OK, echo="CHECK", greets_again=True)


def _log(_state: AdmsState, _rest: str) -> Outcome:
	return Outcome(code=OK, echo="LOG", uploads_now=True)


def _reboot(state: AdmsState, _rest: str) -> Outcome:
	state.wants_reboot = True
	return Outcome(code=OK, echo="REBOOT")


def _get(state: AdmsState, rest: str) -> Outcome:
	"""`GET OPTION FROM Name` of one dialect, `GET OPTIONS Name,Name` of the other."""
	kind, _, names = rest.partition(" ")
	known = state.options()
	if kind == "OPTION":
		name = names.removeprefix("FROM ").strip()
		told = {key.lstrip("~"): value for key, value in known.items()}.get(name.lstrip("~"), "")
		return Outcome(code=OK, echo="GET OPTION", extra=(f"{name}={told}",))
	if kind != "OPTIONS":
		return Outcome(code=BAD_SYNTAX, echo="GET")
	line = ",".join(f"{name}={known.get(name, '')}" for name in names.split(","))
	return Outcome(code=OK, echo="GET OPTIONS", packs=(Pack(table="options", lines=(line,)),))


def _set(state: AdmsState, rest: str) -> Outcome:
	"""`SET OPTION Name=Value`; `DateTime` is packed and sets the clock."""
	kind, _, pair = rest.partition(" ")
	name, _, value = pair.partition("=")
	if kind not in ("OPTION", "OPTIONS") or not name:
		return Outcome(code=BAD_SYNTAX, echo="SET")
	if name == "DateTime":
		try:
			state.clock.set(decode_time(int(value)))
		except ValueError:
			return Outcome(code=NO_DATA, echo=f"SET {kind}")
	return Outcome(code=OK, echo=f"SET {kind}")


def _clear(state: AdmsState, rest: str) -> Outcome:
	if rest != "LOG":
		return Outcome(code=BAD_SYNTAX, echo="CLEAR")
	state.clear_log()
	return Outcome(code=OK, echo="CLEAR_LOG")


def _verify_sum(state: AdmsState, rest: str) -> Outcome:
	"""How many punches lie in a stretch of time."""
	kind, _, record = rest.partition(" ")
	table, _, record = record.partition(" ")
	fields = _fields(record)
	if (kind, table) != ("SUM", "ATTLOG") or _time(fields.get("starttime")) is None:
		return Outcome(code=BAD_SYNTAX, echo="VERIFY SUM")
	number = len(tuple(_query_log(state, fields)))
	told = f"StartTime={fields['starttime']}&EndTime={fields.get('endtime', '')}&AttlogSum={number}"
	return Outcome(code=OK, echo=f"VERIFY SUM&{told}")


def _enroll(state: AdmsState, rest: str) -> Outcome:
	"""Nobody stands before a simulated terminal unless its user is known; then the template is made up."""
	fields = _fields(rest)
	if _SPACED_KEY.search(rest) or "pin" not in fields:
		return Outcome(code=BAD_SYNTAX, echo="ENROLL_BIO")
	if state.find_user(fields["pin"]) is None:
		return Outcome(code=NO_USER, echo="ENROLL_BIO")
	kind = fields.get("type", "1")
	made = Template(
		fields["pin"], int(kind) if kind.isdecimal() else 9, 0, 10 if kind == "1" else 58, 0, "U0lN"
	)
	with state.lock:
		state.templates.append(made)
	is_security = state.dialect is Dialect.SECURITY
	state.report("biodata" if is_security else "BIODATA", rows.template(made, lower_case=is_security))
	return Outcome(code=OK, echo="ENROLL_BIO")


_VERBS: dict[str, Callable[[AdmsState, str], Outcome]] = {
	"DATA": _data,
	"INFO": _info,
	"CHECK": _check,
	"LOG": _log,
	"REBOOT": _reboot,
	"GET": _get,
	"SET": _set,
	"CLEAR": _clear,
	"VERIFY": _verify_sum,
	"ENROLL_FP": _enroll,
	"ENROLL_BIO": _enroll,
}
_DATA_VERBS: dict[str, Callable[[AdmsState, str, dict[str, str]], Outcome]] = {
	"UPDATE": _update,
	"DELETE": _delete,
	"QUERY": _query,
}
_QUERIES: dict[str, Callable[[AdmsState, dict[str, str]], Iterable[str]]] = {
	"USERINFO": _query_users,
	"user": _query_users,
	"ATTLOG": _query_log,
	"transaction": _query_log,
	"BIODATA": _query_templates,
	"biodata": _query_templates,
	"FINGERTMP": _query_templates,
}
