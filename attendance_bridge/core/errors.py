"""What can go wrong, as codes.

The floors below the user interface raise a code and the facts that belong to it; sentences are made from
them at one place per runtime (`edge/messages.py`, `bench/messages.py`), so that they can be translated and
so that no caller ever has to read a message to find out what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Code(str, Enum):
	"""The stable name of one cause. It appears in logs, metrics, JSON output and on the Desk."""

	# a terminal
	UNREACHABLE = "unreachable"
	"""Nothing answers at the host and port (refused, no route, name not found, connect time-out)."""
	TLS_UNTRUSTED = "tls_untrusted"
	"""The other side speaks TLS in a way, or with a certificate, that is not to be trusted."""
	TIMEOUT = "timeout"
	"""The connection stood, but no answer came in time."""
	CONNECTION_LOST = "connection_lost"
	"""The other side closed or reset the connection in the middle of an exchange."""
	AUTH_FAILED = "auth_failed"
	"""User, password, comm key or token refused."""
	LOCKED_OUT = "locked_out"
	"""The terminal has locked the account or the address; details carry `unlock_seconds` when it says."""
	FORBIDDEN = "forbidden"
	"""Logged in, but the account lacks the right."""
	BUSY = "busy"
	"""The other side asks to come back later."""
	GARBAGE = "garbage"
	"""What came is not the protocol: wrong device type behind the address, or a damaged answer."""
	TOO_LARGE = "too_large"
	"""An answer beyond the bound that the driver sets for it."""
	NOT_SUPPORTED = "not_supported"
	"""This model or firmware does not know the call."""
	DEVICE_ERROR = "device_error"
	"""The terminal reports an error of its own; details carry its code."""
	WRONG_DEVICE = "wrong_device"
	"""Another serial number than the configured one answers at this address."""
	SAME_SERIAL = "same_serial"
	"""Two terminals call with one serial number."""
	NO_FREE_PLACE = "no_free_place"
	"""It is to post its events to us, and all its places for that are somebody else's."""

	# an upstream
	UPSTREAM_ERROR = "upstream_error"
	"""The receiver failed (HTTP 5xx) without saying why."""
	RATE_LIMITED = "rate_limited"
	"""HTTP 429 or the like; details carry `retry_after` when it says."""
	NOT_FOUND = "not_found"
	"""The site, the method or the document does not exist there."""
	NOT_READY = "not_ready"
	"""The receiver answers, but check-ins would not arrive as they should; details carry `problems`."""

	# a store
	DISK_FULL = "disk_full"
	DATABASE_LOCKED = "database_locked"
	DATABASE_DAMAGED = "database_damaged"
	DATABASE_UNREADABLE = "database_unreadable"
	"""The file cannot be opened: missing folder, missing right, or not a database at all."""
	DATABASE_TOO_NEW = "database_too_new"
	"""Written by a later version of this program."""

	# the gallery of faces
	GALLERY_KEY_MISSING = "gallery_key_missing"
	"""There is no key where the configuration says, or what is there is no key; details carry `place`."""
	GALLERY_KEY_EXPOSED = "gallery_key_exposed"
	"""Others than its owner may read the file of the key."""
	GALLERY_KEY_BESIDE_DATABASE = "gallery_key_beside_database"
	"""Whoever copies the folder of the database would copy the key with it."""
	GALLERY_KEY_TAKEN = "gallery_key_taken"
	"""A new key would take the place of one that templates are locked with."""
	GALLERY_KEY_WRONG = "gallery_key_wrong"
	"""The templates in the database were locked with another key."""
	TEMPLATE_DAMAGED = "template_damaged"
	"""A template does not open with the right key: it was changed, or belongs to another row."""
	CONSENT_MISSING = "consent_missing"
	"""The person has not agreed to be recognised, or has taken it back."""

	# a camera
	CAMERA_NOT_THERE = "camera_not_there"
	"""It cannot be opened: not plugged in, held by another program, no such file or stream."""
	CAMERA_LOST = "camera_lost"
	"""It gave pictures and has stopped: unplugged, or the stream broke off."""
	CAMERA_FROZEN = "camera_frozen"
	"""It is open and gives no new picture; details carry `seconds`."""

	# recognition
	MODEL_MISSING = "model_missing"
	"""A model pack, or a file of one, is not there; details carry `path`."""
	MODEL_DAMAGED = "model_damaged"
	"""A file of a pack is not the one that its manifest names (size, sha256); details carry `path`."""
	MODEL_UNFIT = "model_unfit"
	"""It is not what its manifest says, or the chosen engine cannot run it; details carry `path`, `why`."""
	MODEL_NOT_OFFERED = "model_not_offered"
	"""The manifest of a pack names no place to download from; details carry `pack`."""

	MODEL_NOT_FETCHED = "model_not_fetched"
	"""The place of a pack does not give the file; details carry `url`, `why`."""

	# this installation
	NOT_INSTALLED = "not_installed"
	"""A package that an optional part needs is missing; details carry `package` and `extra`."""

	# configuration
	UNKNOWN_KEY = "unknown_key"
	MISSING_KEY = "missing_key"
	BAD_VALUE = "bad_value"
	UNREADABLE_FILE = "unreadable_file"
	SECRET_MISSING = "secret_missing"
	"""The environment variable or the file that should hold a secret is not there or empty."""


class BridgeError(Exception):
	"""Base of everything this project raises on purpose.

	:param code: the cause.
	:param retryable: whether the same act may succeed later without a change by a person.
	:param details: facts for the sentence (host, port, path of a key …). Never a secret.
	"""

	def __init__(self, code: Code, *, retryable: bool = False, **details: object) -> None:
		super().__init__(code.value)
		self.code = code
		self.retryable = retryable
		self.details: Mapping[str, object] = details

	def __str__(self) -> str:
		facts = ", ".join(f"{key}={value}" for key, value in self.details.items())
		return f"{self.code.value} ({facts})" if facts else self.code.value


class DeviceError(BridgeError):
	"""A terminal, or the road to it, failed."""


class UpstreamError(BridgeError):
	"""The receiver of check-ins, or the road to it, failed as a whole (not one punch of a batch)."""


class StoreError(BridgeError):
	"""The local database cannot do what was asked; nothing that was acknowledged is affected."""


class RecognitionError(BridgeError):
	"""Faces cannot be recognised with the models or packages that are here."""


class ConfigError(BridgeError):
	"""The configuration cannot be used; details carry `path`, the dotted path of the key."""
