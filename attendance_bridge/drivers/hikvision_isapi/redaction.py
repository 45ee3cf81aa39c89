"""What may be told of an overheard conversation.

The rule is a list of what stays: times, counters, states, model and firmware. Every other value becomes a
stand-in, whatever it is called. Texts are rewritten where they stand and never read and written anew, so that
a damaged document is damaged in the same way afterwards.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.recording import Exchange, Note

_TIMES = (
	"time dateTime localTime startTime endTime beginTime timeZone timeMode unlockTime retryLoginTime "
	"currentDeviceTime"
)
_NUMBERS = (
	"major minor serialNo frontSerialNo beginSerialNo endSerialNo numOfMatches totalMatches totalNum maxSize "
	"searchResultPosition maxResults picturesNumber cardType cardReaderNo doorNo @min @max @opt @size"
)
_STATES = (
	"responseStatusStrg statusCode statusString subStatusCode errorCode statusValue lockStatus isActivated "
	"userType currentVerifyMode attendanceStatus mask timeReverseOrder"
)
_KINDS = "model firmwareVersion firmwareReleasedDate deviceType minorEvent minorException"
_STAYS = frozenset(" ".join((_TIMES, _NUMBERS, _STATES, _KINDS)).split())
"""Fields whose values are told as they are."""
_PLAIN = re.compile(r"[\w .,:+/()\[\]@-]{0,200}", re.ASCII)
_OWN_WORDS = re.compile(r"(startTime|endTime|searchID|maxResults|major|minor|beginSerialNo)", re.ASCII)
_OWN_PATH = re.compile(r"/ISAPI/[A-Za-z/]{1,100}(\?format=json)?", re.ASCII)
_SECRET = re.compile(r"password|passwd|pwd|secret|token|nonce|session|api_?key|comm_?key", re.IGNORECASE)
_DROPPED = re.compile(r"(url|data|picture|photo|image|template|model)$", re.IGNORECASE)

_ADDRESS = re.compile(r"(?!0\.0\.0\.0)\d{1,3}(\.\d{1,3}){3}", re.ASCII)

_KEY = re.compile(r"[@A-Za-z_][\w@.-]{0,63}", re.ASCII)
_JSON_TOKEN = re.compile(
	r'(?P<string>"(?:[^"\\]|\\[\s\S])*(?:"|\\?\Z))(?P<colon>\s*:)?|(?P<number>-?\d[\d.eE+-]*)'
	r"|(?P<word>[^\W\d_]+)|(?P<bracket>[\[\]{}])"
)
_XML_TOKEN = re.compile(
	r"(?P<block><!--[\s\S]*?(?:-->|\Z)|<!\[CDATA\[[\s\S]*?(?:\]\]>|\Z))|(?P<tag><[^<>]*>?)|(?P<text>[^<]+)"
)
_TAG_NAME = re.compile(r"<[/?!]?\s*(?:[\w.-]+:)?([\w.-]+)")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')""")
_HARMLESS_ATTRIBUTE = re.compile(r"xmlns(:\w+)?|version|encoding")
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)(\s*=\s*)("(?:[^"\\]|\\.)*"|[^\s,"]+)')
_SCHEMES = re.compile(r"\s*(digest|basic|bearer|negotiate|ntlm)\b", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,40}(\s*;\s*charset=\"?[\w-]{1,20}\"?)?", re.IGNORECASE)


def redact(notes: Iterable[Note], names: Pseudonyms) -> list[Exchange]:
	"""One exchange a request: `method`, `path`, `query`, `question`, `with_credentials`, then `status`,
	`headers` and `answer`, or `error`. A body that is no UTF-8 is in hex under `question_hex`, `answer_hex`.
	"""
	return [_exchange(note.facts, names) for note in notes]


def _exchange(facts: Any, names: Pseudonyms) -> Exchange:
	path, _mark, query = facts["path"].partition("?")
	told: Exchange = {"method": facts["method"], "path": path, "query": query}
	if facts["question"] is not None:
		told |= _body("question", facts["question"], names)
	told["with_credentials"] = facts["with_credentials"]
	if "error" in facts:
		return told | {"error": facts["error"]}
	headers = {
		"WWW-Authenticate": _challenge(facts["challenge"], names),
		"Content-Type": facts["content_type"] if _MEDIA_TYPE.fullmatch(facts["content_type"]) else "",
	}
	told |= {"status": facts["status"], "headers": {name: value for name, value in headers.items() if value}}
	return told | _body("answer", facts["answer"], names)


def _body(name: str, body: bytes, names: Pseudonyms) -> Exchange:
	redacted = redact_body(body, names)
	try:
		return {name: redacted.decode("utf-8")}
	except UnicodeDecodeError:
		return {f"{name}_hex": redacted.hex()}


def redact_body(body: bytes, names: Pseudonyms) -> bytes:
	"""A body of either direction, whatever is in it."""
	text = body.decode("utf-8", "surrogateescape")
	begin = text.lstrip("\ufeff \t\r\n")[:1]
	if begin in ("{", "["):
		text = _JsonRedaction(names).redact(text)
	elif begin == "<":
		text = _redact_xml(text, names)
	else:
		text = names.scramble_text(text)
	return text.encode("utf-8", "surrogateescape")


def _value(key: str, value: str, names: Pseudonyms) -> str:
	"""What stands for a value of the field `key`."""
	if value in ("true", "false"):
		return value
	if key in _STAYS and _PLAIN.fullmatch(value):
		return value
	if key == "requestURL" and _OWN_PATH.fullmatch(value):
		return value
	if key == "errorMsg" and _OWN_WORDS.fullmatch(value):
		return value
	if _SECRET.search(key):
		return "*" * len(value)
	if _DROPPED.search(key):
		return f"dropped:{len(value)}" if value else ""
	if _ADDRESS.fullmatch(value):
		return f"192.0.2.{sum(map(ord, names.of(value))) % 254 + 1}"
	return names.of(value)


class _JsonRedaction:
	"""Goes through JSON, whole or damaged, and keeps in mind which field it is in."""

	def __init__(self, names: Pseudonyms) -> None:
		self._names = names
		self._key = ""

	def redact(self, text: str) -> str:
		return _JSON_TOKEN.sub(self._token, text)

	def _token(self, match: re.Match[str]) -> str:
		if match["string"] is not None:
			if match["colon"] is not None:
				return self._name(match["string"]) + match["colon"]
			return self._string(match["string"])
		if match["number"] is not None:
			return self._number(match["number"])
		if match["bracket"] is not None:
			if match["bracket"] != "[":  # a list belongs to the field before it
				self._key = ""
			return match["bracket"]
		word = match["word"]
		return word if word in ("true", "false", "null") else self._names.scramble_text(word)

	def _name(self, token: str) -> str:
		self._key = token.strip('"')
		if _KEY.fullmatch(self._key):
			return token
		return '"' + self._names.scramble_text(self._key) + '"'

	def _string(self, token: str) -> str:
		try:
			value = json.loads(token, strict=False)
		except ValueError:  # without an end
			return '"' + _value(self._key, token[1:].rstrip("\\"), self._names)
		return json.dumps(_value(self._key, value, self._names), ensure_ascii="\\u" in token)

	def _number(self, token: str) -> str:
		if self._key in _STAYS:
			return token
		if _SECRET.search(self._key):
			return re.sub(r"\d", "1", token)  # zeros in front would be no JSON
		return re.sub(r"\d+", lambda digits: self._names.of(digits[0]), token)


def _redact_xml(text: str, names: Pseudonyms) -> str:
	key = ""

	def token(match: re.Match[str]) -> str:
		nonlocal key
		if match["text"] is not None:
			return _redact_xml_text(key, match["text"], names)
		if match["block"] is not None:
			return match["block"][:4] + names.scramble_text(match["block"][4:])
		named = _TAG_NAME.match(match["tag"])
		# What follows the end of an element belongs to none whose values stay.
		key = named[1] if named and match["tag"][1:2] not in "/?!" else ""
		return _redact_tag(match["tag"], names)

	return _XML_TOKEN.sub(token, text)


def _redact_xml_text(key: str, text: str, names: Pseudonyms) -> str:
	stripped = text.strip()
	if not stripped:
		return text
	start = text.index(stripped)
	told = escape(_value(key, html.unescape(stripped), names))
	return text[:start] + told + text[start + len(stripped) :]


def _redact_tag(tag: str, names: Pseudonyms) -> str:
	def attribute(match: re.Match[str]) -> str:
		name, equals, value = match.groups()
		if _HARMLESS_ATTRIBUTE.fullmatch(name):
			return match[0]
		return name + equals + value[0] + names.scramble_text(value[1:-1]) + value[-1]

	named = _TAG_NAME.match(tag)
	if not named:
		return names.scramble_text(tag)
	rest = tag[named.end() :]
	# Values outside of quotation marks are HTML at its oldest: nothing of them stays.
	if not re.fullmatch(rf"\s*(?:{_ATTRIBUTE.pattern}\s*)*[/?]?>?|\s+html\s*>", rest):
		return tag[: named.end()] + names.scramble_text(rest)
	return tag[: named.end()] + _ATTRIBUTE.sub(attribute, rest)


def _challenge(header: str, names: Pseudonyms) -> str:
	"""WWW-Authenticate with its structure, without what it was good for."""

	def parameter(match: re.Match[str]) -> str:
		name, equals, value = match.groups()
		if name.lower() in ("qop", "algorithm", "stale", "charset", "userhash"):
			return match[0]
		if name.lower() != "realm":
			return f'{name}{equals}"0"'
		return name + equals + '"' + names.of(value.strip('"')).replace('"', "") + '"'

	if not header:
		return ""
	if not _SCHEMES.match(header) or "=" not in header:
		return names.scramble_text(header)
	return _PARAMETER.sub(parameter, header)
