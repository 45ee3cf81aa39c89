from __future__ import annotations

import copy
import pickle

import pytest

from attendance_bridge.core.redact import MASK, Secret, redact


def test_a_secret_does_not_show_itself() -> None:
	secret = Secret("hunter2")
	shown = f"{secret} {secret!r} {secret:>3}" + str([secret]) + str({"p": secret})
	assert "hunter2" not in shown
	assert secret.reveal() == "hunter2"
	assert secret == Secret("hunter2") != Secret("hunter3")
	for leak in (pickle.dumps, copy.deepcopy):
		with pytest.raises(TypeError):
			leak(secret)


@pytest.mark.parametrize(
	"text",
	[
		"Authorization: token key123:hunter2",
		'Authorization: Digest username="admin", response="hunter2"',
		"authorization=Basic hunter2",
		"Set-Cookie: sid=hunter2; Path=/",
		"http://admin:hunter2@192.0.2.1/ISAPI",
		"https://site/api?api_secret=hunter2&x=1",
		'{"password": "hunter2", "user": "admin"}',
		"{'device_user_password': 'hunter2'}",
		"<password>hunter2</password>",
		"comm_key=hunter2",
		"token: hunter2",
	],
)
def test_redact(text: str) -> None:
	masked = redact(text)
	assert "hunter2" not in masked
	assert MASK in masked


def test_what_is_no_secret_stays() -> None:
	text = "device DS-1 at http://192.0.2.1:80/ISAPI/AccessControl/AcsEvent?format=json: 30 rows"
	assert redact(text) == text
