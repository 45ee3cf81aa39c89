"""A turn on the real site: alone, all or nothing, and again after a lost race."""

from __future__ import annotations

import threading
from unittest.mock import patch

import frappe

from attendance_bridge.bench import turn
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises

KEY = "ABT-TURN-"


class TestTurn(IntegrationTestCase):
	def setUp(self) -> None:
		self._clear()
		self.addCleanup(self._clear)
		patcher = patch.object(turn, "LONGEST_PAUSE_SECONDS", 0)
		patcher.start()
		self.addCleanup(patcher.stop)

	def _clear(self) -> None:
		frappe.db.rollback()
		frappe.db.sql("DELETE FROM `tabSeries` WHERE `name` = %s", KEY)
		frappe.db.commit()

	def _write(self) -> None:
		frappe.db.sql("INSERT INTO `tabSeries` (`name`, `current`) VALUES (%s, 1)", KEY)

	def _written(self) -> int:
		frappe.db.rollback()
		return frappe.db.sql("SELECT COUNT(*) FROM `tabSeries` WHERE `name` = %s", KEY)[0][0]

	def test_a_lost_race_is_run_again_from_the_beginning(self) -> None:
		tries = []

		def act() -> str:
			self._write()  # a second one beside the first would be refused
			tries.append(len(tries))
			if len(tries) < 3:
				raise (frappe.QueryDeadlockError, frappe.QueryTimeoutError)[len(tries) - 1]("1213")
			return "done"

		self.assertEqual(turn.alone(act), "done")
		self.assertEqual((len(tries), self._written()), (3, 1))

	def test_a_change_behind_the_snapshot_is_run_again(self) -> None:
		"""Where the database refuses it; elsewhere the change is made upon what the other one wrote."""
		self._write()
		frappe.db.commit()
		current = "SELECT `current` FROM `tabSeries` WHERE `name` = %s"
		add = "UPDATE `tabSeries` SET `current` = `current` + %s WHERE `name` = %s"
		read = []

		def act() -> None:
			read.append(frappe.db.sql(current, KEY)[0][0])
			if len(read) == 1:
				premises.elsewhere(lambda: frappe.db.sql(add, (10, KEY)))
			frappe.db.sql(add, (100, KEY))

		turn.alone(act)
		strict = frappe.db.sql("SHOW VARIABLES WHERE `Variable_name` = 'innodb_snapshot_isolation'")
		self.assertEqual(read, [1, 11] if strict and strict[0][1] == "ON" else [1])
		self.assertEqual(frappe.db.sql(current, KEY)[0][0], 111)

	def test_it_gives_up_and_keeps_nothing(self) -> None:
		def act() -> None:
			self._write()
			raise frappe.QueryDeadlockError("1213")

		self.assertRaises(frappe.QueryDeadlockError, turn.alone, act)
		self.assertEqual(self._written(), 0)

	def test_a_fault_is_not_tried_again(self) -> None:
		tries = []

		def act() -> None:
			self._write()
			tries.append(1)
			raise ZeroDivisionError

		self.assertRaises(ZeroDivisionError, turn.alone, act)
		self.assertEqual((len(tries), self._written()), (1, 0))

	def test_the_second_waits_and_sees_what_the_first_wrote(self) -> None:
		site, at_turn, seen = frappe.local.site, threading.Event(), []

		def second() -> None:
			frappe.init(site=site)
			frappe.connect()
			try:
				at_turn.set()
				count = "SELECT COUNT(*) FROM `tabSeries` WHERE `name` = %s"
				seen.append(turn.alone(lambda: frappe.db.sql(count, KEY)[0][0]))
			finally:
				frappe.destroy()

		other = threading.Thread(target=second)

		def first() -> None:
			other.start()
			at_turn.wait(10)
			other.join(0.3)  # time to come wrongly to its end; it does not
			self._write()

		turn.alone(first)
		other.join(20)
		self.assertEqual(seen, [1])
