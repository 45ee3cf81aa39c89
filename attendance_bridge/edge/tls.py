"""TLS for what this agent serves: pages, and terminals that call it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter


class TlsAdapter(BuiltinSSLAdapter):
	"""Hands connections over before they have shaken hands: `shake_hands` is for the thread that serves one,
	not for the one that accepts all of them."""

	def wrap(self, sock: socket.socket) -> tuple[Any, dict[str, Any]]:
		wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
		return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


def tls_adapter(certificate: Path | None, key: Path | None) -> TlsAdapter | None:
	"""
	:param certificate: PEM, with the chain; None for a server that speaks no TLS.
	:raises OSError: a file cannot be read, or (`ssl.SSLError`) certificate and key are no pair.
	"""
	if certificate is None:
		return None
	adapter = TlsAdapter(str(certificate), str(key))
	adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
	return adapter


def shake_hands(connection: socket.socket) -> None:
	"""Begin to speak TLS where that is spoken.

	:raises OSError: the other side does not trust the certificate, or speaks none.
	"""
	if isinstance(connection, ssl.SSLSocket):
		connection.do_handshake()


def hang_up(connection: socket.socket) -> None:
	"""Let the thread that reads from it go on at once; from another thread.

	:raises OSError: the line is gone already.
	"""
	# Not the method of an SSLSocket: it takes the encryption away, too.
	socket.socket.shutdown(connection, socket.SHUT_RDWR)
