"""From where somebody calls, and which networks a text names."""

from __future__ import annotations

from attendance_bridge.bench import networks
from attendance_bridge.bench.testing import IntegrationTestCase


class TestNetworks(IntegrationTestCase):
	def test_who_called(self) -> None:
		proxies = networks.parse("203.0.113.0/24")
		for remote, forwarded, caller in (
			("192.0.2.1", None, "192.0.2.1"),
			("192.0.2.1", "198.51.100.9", "192.0.2.1"),
			("127.0.0.1", "198.51.100.9", "198.51.100.9"),
			("", "198.51.100.9:5555", "198.51.100.9"),
			("::1", "[2001:db8::1]:443", "2001:db8::1"),
			("127.0.0.1", "192.0.2.1, 198.51.100.9, 203.0.113.5", "198.51.100.9"),
			("203.0.113.5", "192.0.2.1", "192.0.2.1"),
			("::ffff:192.0.2.1", "", "192.0.2.1"),
		):
			with self.subTest(remote=remote, forwarded=forwarded):
				self.assertEqual(networks.caller(remote, forwarded, proxies), caller)

	def test_networks(self) -> None:
		self.assertEqual(len(networks.parse("192.0.2.0/24, 10.0.0.1\n2001:db8::/32")), 3)
		for text in ("192.0.2.0/33", "everywhere", " ".join(["10.0.0.1"] * 21)):
			with self.subTest(text=text[:20]), self.assertRaises(ValueError):
				networks.parse(text)
