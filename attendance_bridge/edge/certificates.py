"""A certificate for the agent's own pages, signed by itself.

Phones give a page their camera only over HTTPS. A browser asks once whether to trust it; the fingerprint that
`edge tls` prints tells whether it is the right one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from attendance_bridge.core.errors import Code, ConfigError

VALID_FOR = timedelta(days=820)
"""Apple's systems take no certificate for longer than 825 days (https://support.apple.com/103769)."""
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
	names: tuple[str, ...]
	ends_at: datetime
	"""In UTC."""
	fingerprint: str
	"""SHA-256, as browsers show it."""


def make_certificate(
	certificate: Path, key: Path, names: Iterable[str], *, now: datetime
) -> CertificateFacts:
	"""Make a key and a certificate for these host names and addresses; the key is for its owner only.

	:raises ConfigError: UNREADABLE_FILE, one of the files is there already or cannot be written.
	"""
	private = ec.generate_private_key(ec.SECP256R1())
	called = tuple(dict.fromkeys([*names, "localhost", "127.0.0.1", "::1"]))
	subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called[0][:64])])
	made = (
		x509.CertificateBuilder()
		.subject_name(subject)
		.issuer_name(subject)
		.public_key(private.public_key())
		.serial_number(x509.random_serial_number())
		.not_valid_before(now - timedelta(days=1))  # a phone's clock may be slow
		.not_valid_after(now + VALID_FOR)
		.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in called]), critical=False)
		.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
		.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
		.sign(private, hashes.SHA256())
	)
	_write(
		key,
		private.private_bytes(
			serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
		),
		0o600,
	)
	try:
		_write(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
	except ConfigError:
		key.unlink()
		raise
	return _facts(made)


def read_certificate(certificate: Path) -> CertificateFacts:
	"""
	:raises ConfigError: UNREADABLE_FILE.
	"""
	try:
		return _facts(x509.load_pem_x509_certificate(certificate.read_bytes()))
	except OSError as error:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(certificate), why=error.strerror or "") from None
	except ValueError:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(certificate), why="no PEM certificate") from None


def _facts(certificate: x509.Certificate) -> CertificateFacts:
	names: list[str] = []
	with contextlib.suppress(x509.ExtensionNotFound):
		found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
		names += found.get_values_for_type(x509.DNSName)
		names += map(str, found.get_values_for_type(x509.IPAddress))
	return CertificateFacts(
		names=tuple(names),
		ends_at=certificate.not_valid_after_utc,
		fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
	)


def _general_name(name: str) -> x509.GeneralName:
	try:
		return x509.IPAddress(ipaddress.ip_address(name))
	except ValueError:
		return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
	try:
		descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
	except OSError as error:
		raise ConfigError(Code.UNREADABLE_FILE, path=str(path), why=error.strerror or "") from None
	with os.fdopen(descriptor, "wb") as file:
		file.write(content)
