"""Every code has words, and what a terminal says cannot smuggle markup into them."""

from __future__ import annotations

import string

from attendance_bridge.bench import messages
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.core.clock import ClockVerdict
from attendance_bridge.core.direction import Reason
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, DeviceError
from attendance_bridge.core.projection import ECHO, NO_SUCH_ID

_FACTS = {
	"host": "192.0.2.7",
	"port": 4370,
	"found": "B",
	"expected": "A",
	"path": "timeout",
	"known": "a, b",
	"help": "Seconds.",
	"unlock_seconds": 90,
}


class TestMessages(IntegrationTestCase):
	def test_every_code_has_a_sentence_of_its_own(self) -> None:
		sentences = {code: messages.sentence(BridgeError(code, **_FACTS)) for code in Code}
		self.assertEqual(len(set(sentences.values())), len(Code))
		for code, sentence in sentences.items():
			with self.subTest(code=code):
				self.assertRegex(sentence, r"^.{15,}[.]$")
				self.assertNotIn("{", sentence)
				self.assertNotIn("?", sentence)

	def test_a_missing_fact_does_not_hide_the_sentence(self) -> None:
		for code in Code:
			with self.subTest(code=code):
				self.assertTrue(messages.sentence(BridgeError(code)))

	def test_every_template_uses_facts_that_are_known(self) -> None:
		known = {*_FACTS, "where", "unlock", "configured_as"}
		for code in Code:
			template = str(messages._SENTENCES[code])
			names = {name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name}
			self.assertLessEqual(names, known, code)

	def test_a_lock_out_says_how_long(self) -> None:
		self.assertIn("90 seconds", messages.sentence(DeviceError(Code.LOCKED_OUT, unlock_seconds=90)))

	def test_facts_are_cut_and_carry_no_markup(self) -> None:
		evil = "<script>alert(1)</script>" + "x" * 10_000
		sentence = messages.sentence(DeviceError(Code.WRONG_DEVICE, host="h", found=evil, expected="A"))
		self.assertNotIn("<", sentence)
		self.assertLess(len(sentence), 1000)

	def test_a_terminal_that_is_configured_twice_is_named(self) -> None:
		error = DeviceError(Code.WRONG_DEVICE, host="h", found="A", expected="", configured_as="Main gate")
		self.assertIn("Main gate", messages.sentence(error))

	def test_fields_are_called_by_their_labels(self) -> None:
		for path, label in (
			("host", "Device IP"),
			("password_env", "Device User Password"),
			("user", "Device User"),
		):
			error = ConfigError(Code.MISSING_KEY, path=path, help="Something")
			self.assertEqual(
				messages.config_sentence(error, "hikvision_isapi"), f"{label} is missing: Something."
			)

	def test_every_reason_of_core_has_words(self) -> None:
		for code in (*Reason, *(verdict for verdict in ClockVerdict if verdict is not ClockVerdict.TRUSTED)):
			self.assertNotEqual(messages.reason(code.value), code.value)
		for code in (ECHO, NO_SUCH_ID):
			self.assertNotEqual(messages.reason(code), code)

	def test_a_reason_without_words_stands_for_itself(self) -> None:
		self.assertEqual(messages.reason("something_new"), "something_new")
		self.assertEqual(messages.reason(None), "")
		self.assertIn("LinkValidationError", messages.reason("refused:LinkValidationError"))
