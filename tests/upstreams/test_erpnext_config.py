from __future__ import annotations

from typing import Any

import pytest

from attendance_bridge.core.config import parse
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.upstreams._frappe.config import check_proxy, check_url, is_near
from attendance_bridge.upstreams.erpnext_rest.config import Config

GOOD = {
	"url": "https://erp.example.com",
	"api_key_env": "KEY",
	"api_secret_file": "/run/secret",
	"timezone": "Asia/Dubai",
}


def read(secret: str = "0123456789abcde", **changes: Any) -> Config:
	return parse(Config, {**GOOD, **changes}, secrets=lambda _kind, _reference: secret, path="upstream")


def test_the_least_configuration() -> None:
	config = read()
	assert config.api_key == Secret("0123456789abcde")
	assert (config.timeout, config.connect_timeout, config.concurrency) == (130.0, 10.0, 4)
	assert (config.rate_limit, config.settle_seconds, config.verify_tls) == (0.0, 120.0, True)
	assert "0123456789abcde" not in repr(config)


@pytest.mark.parametrize(
	("given", "kept"),
	[
		("https://erp.example.com/", "https://erp.example.com"),
		("HTTPS://ERP.example.com", "https://erp.example.com"),
		("https://erp.example.com:8443/a/b/", "https://erp.example.com:8443/a/b"),
		("http://[::1]:8000", "http://[::1]:8000"),
	],
)
def test_addresses(given: str, kept: str) -> None:
	assert check_url(given) == kept


@pytest.mark.parametrize(
	"url",
	[
		"",
		"erp.example.com",
		"ftp://erp.example.com",
		"https://",
		"https://user:hunter2@erp.example.com",
		"https://hunter2@erp.example.com",
		"https://erp.example.com/?a=b",
		"https://erp.example.com/#a",
		"https://erp.example.com:99999",
		"https://erp.example.com:x",
		"https://erp.example.com/a/../b",
		"https://erp.example.com/a b",
		"https://erp.example.com/%2e",
		"https://erp.example.com\r\nX: y",
		" https://erp.example.com",
		"https://[::1",
		"https://erp_;rm.example.com",
	],
)
def test_addresses_that_are_refused(url: str) -> None:
	with pytest.raises(ConfigError) as caught:
		read(url=url)
	assert caught.value.code is Code.BAD_VALUE
	assert caught.value.details["path"] == "upstream.url"
	assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
	("host", "near"),
	[
		("localhost", True),
		("127.0.0.1", True),
		("::1", True),
		("192.168.1.5", True),
		("10.0.0.1", True),
		("8.8.8.8", False),
		("erp.example.com", False),
		("localhost.example.com", False),
	],
)
def test_where_plain_http_may_be_enough(host: str, near: bool) -> None:
	assert is_near(host) == near


def test_a_token_goes_unencrypted_only_if_one_says_so() -> None:
	with pytest.raises(ConfigError) as caught:
		read(url="http://erp.example.com")
	assert caught.value.code is Code.BAD_VALUE
	assert read(url="http://erp.example.com", allow_http=True).url == "http://erp.example.com"
	assert read(url="http://192.168.1.5:8000").url == "http://192.168.1.5:8000"


@pytest.mark.parametrize("secret", ["", "a b", "a\n", "a:b", "a\r\nX: y", "ä", "x" * 257])
def test_a_secret_that_cannot_stand_in_a_header_is_refused_and_not_shown(secret: str) -> None:
	with pytest.raises(ConfigError) as caught:
		read(secret)
	assert caught.value.code is Code.BAD_VALUE
	assert not secret or f"'{secret}'" not in str(caught.value)


@pytest.mark.parametrize(
	("key", "value"),
	[("concurrency", 0), ("concurrency", 17), ("timeout", 0), ("rate_limit", -1), ("page_length", 1)],
)
def test_bounds(key: str, value: Any) -> None:
	with pytest.raises(ConfigError) as caught:
		read(**{key: value})
	assert caught.value.details["path"] == f"upstream.{key}"


@pytest.mark.parametrize(
	"proxy", ["proxy:3128", "https://proxy:3128", "http://u:p@proxy:3128", "http://proxy"]
)
def test_proxies_that_are_refused(proxy: str) -> None:
	with pytest.raises(ValueError, match="address"):
		check_proxy(proxy)


def test_a_proxy_is_for_https() -> None:
	assert read(proxy="http://proxy:3128/").proxy == "http://proxy:3128"
	with pytest.raises(ConfigError):
		read(url="http://127.0.0.1", proxy="http://proxy:3128")
