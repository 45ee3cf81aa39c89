"""Terminals that push, over HTTP against the site's web server: as Guest, with the bytes they send."""

from __future__ import annotations

import gzip
import threading
from datetime import timedelta
from types import SimpleNamespace

import frappe
from frappe.auth import CookieManager
from frappe.utils.password import set_encrypted_password

from attendance_bridge.api import push as api
from attendance_bridge.bench import (
	iclock,
	jobs,
	moments,
	pairing,
	push_settings,
)
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.tests import premises, pushers, terminals
from attendance_bridge.bench.tests.iclock_case import IclockCase
from attendance_bridge.bench.tests.pushers import Pusher
from attendance_bridge.bench.tests.site_server import Caller

TOKEN = "Lorem-ipsum-dolor-27"


class TestIclock(IclockCase):
	# what is acknowledged is held

	def test_a_punch_is_held_before_it_is_acknowledged_and_becomes_a_check_in(self) -> None:
		pusher = self.pusher()
		hello = pusher.hello()
		self.assertEqual(hello.status_code, 200)
		self.assertIn("GET OPTION FROM: ABTPUSH1", hello.text)
		answer = pusher.punch(("abt1", self.at))
		self.assertEqual((answer.status_code, answer.text), (200, "OK: 1"))
		(row,) = self.held()
		self.assertEqual((row.device_user_id, row.road, row.owner), ("abt1", "Push", "Guest"))
		self.assertTrue(pushers.until(lambda: self.held()[0].status == "Checked in"))
		checkin = frappe.get_doc("Employee Checkin", self.held()[0].employee_checkin)
		self.assertEqual((checkin.employee, checkin.time), (self.employee, self.at))

	def test_the_answer_sets_no_cookie_and_says_the_time(self) -> None:
		pusher = self.pusher()
		for answer in (pusher.hello(), pusher.punch(("abt1", self.at)), pusher.poll()):
			self.assertNotIn("Set-Cookie", answer.headers)
			self.assertIn("Date", answer.headers)
			self.assertEqual(len(answer.raw.headers.getlist("Date")), 1)

	def test_the_body_is_read_whatever_the_header_says(self) -> None:
		pusher = self.pusher()
		types = (None, "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "x")
		for step, content_type in enumerate(types):
			with self.subTest(content_type=content_type):
				answer = pusher.punch(("abt1", self.at - timedelta(minutes=step)), content_type=content_type)
				self.assertEqual((answer.status_code, answer.text), (200, "OK: 1"))
		self.assertEqual(len(self.held()), len(types))

	def test_the_other_dialect(self) -> None:
		pusher = self.pusher()
		self.assertEqual(pusher.send("GET", "cdata", {"options": "all", "DeviceType": "acc"}).text, "OK")
		registry = pusher.send("POST", "registry", {}, b"DeviceType=acc,~DeviceName=Pro,FirmVer=9.1")
		self.assertEqual(registry.status_code, 200)
		self.assertIn("RegistryCode=", registry.text)
		again = pusher.send("POST", "registry", {}, b"DeviceType=acc,~DeviceName=Pro,FirmVer=9.1")
		self.assertEqual(again.text, registry.text)
		row = (
			f"time={self.at}\tpin=abt1\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=1\tindex=7"
		)
		answer = pusher.send("POST", "cdata", {"table": "rtlog"}, row.encode())
		self.assertEqual(answer.status_code, 200)
		self.assertEqual([each.device_user_id for each in self.held()], ["abt1"])
		state = frappe.get_doc("Device Configuration", pusher.device)
		self.assertEqual((state.push_dialect, state.model, state.firmware), ("security", "Pro", "9.1"))
		self.assertNotIn("RegistryCode", state.as_json())

	def test_the_same_punch_by_push_and_by_reading_is_one(self) -> None:
		pusher = self.pusher()
		moment = self.at - timedelta(hours=3)
		pusher.punch(("abt1", moment))
		punch = pushers.punch("abt1", moment)
		accepted = PunchLog(pusher.device).accept(terminals.page(punch), punch.device_serial, None)
		self.assertEqual((accepted.new, accepted.known), (0, 1))
		pusher.punch(("abt1", moment), ("abt2", moment))
		self.assertEqual(len(self.held()), 2)

	def test_nothing_is_acknowledged_that_is_not_held(self) -> None:
		pusher = self.pusher()
		with pushers.table_away("Punch Log"):
			answer = pusher.punch(("abt1", self.at))
			self.assertEqual((answer.status_code, answer.content), (503, b""))
		self.assertEqual(self.held(), [])
		self.assertEqual(pusher.punch(("abt1", self.at)).text, "OK: 1")
		self.assertEqual(len(self.held()), 1)

	def test_a_packed_body_is_not_taken_for_rubbish(self) -> None:
		pusher = self.pusher()
		body = gzip.compress(f"abt1\t{self.at}\t0\t1\n".encode())
		pusher.headers = {"Content-Encoding": "gzip"}
		answer = pusher.send("POST", "cdata", {"table": "ATTLOG", "Stamp": "1"}, body)
		self.assertEqual((answer.status_code, answer.content), (415, b""))
		self.assertEqual(frappe.db.count("Unreadable Record", {"device_serial": pusher.serial}), 0)
		self.assertIn("ATTLOGStamp=0\n", pusher.hello().text)

	def test_a_body_in_chunks_is_read_or_refused_and_one_of_no_length_refused(self) -> None:
		pusher = self.pusher()
		row = f"abt1\t{self.at}\t0\t1\n".encode()
		answer = pusher.raw("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(row), row))
		self.assertEqual(b" 200 " in answer, bool(self.held()))
		self.assertIn(b" 411 ", pusher.raw("X-Nothing: 1", b""))

	def test_a_fault_is_told_without_what_the_terminal_has_sent(self) -> None:
		pusher = self.pusher()
		set_encrypted_password("Device Configuration", pusher.device, TOKEN, "push_token")
		frappe.db.set_value("Device Configuration", pusher.device, "push_token", "*" * len(TOKEN))
		frappe.db.delete("Error Log")
		frappe.cache.delete_keys("attendance_bridge:calls")
		frappe.db.commit()
		pusher.prefix = f"/{TOKEN}/iclock"
		with pushers.table_away("Punch Log"):
			self.assertEqual(pusher.punch(("abt1-secret", self.at)).status_code, 503)
		frappe.db.rollback()
		(told,) = frappe.get_all("Error Log", {"method": ("like", "%call of a terminal%")}, ["error"])
		self.assertIn("punch_log.py", told.error)
		for secret in (TOKEN, "abt1-secret"):
			self.assertNotIn(secret, told.error)

	def test_where_the_database_is_gone_it_is_told_to_come_again(self) -> None:
		page = pushers.page("/iclock/cdata")
		page._request = SimpleNamespace(path="/iclock/cdata")
		frappe.local.cookie_manager = CookieManager()

		def gone(*_values: object) -> None:
			raise frappe.db.OperationalError(2006, "gone")

		with pushers.changed(frappe.db, "sql", gone), pushers.changed(frappe.db, "rollback", gone):
			answer = page.render()
		self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "30"))

	def test_who_writes_the_serial_number_otherwise_is_counted_alone(self) -> None:
		pushers.settings(push_enabled=1, push_requests_a_minute=push_settings.LEAST_CALLS)
		pushers.at_the_beginning_of_a_minute()
		first, second = self.pusher(31), self.pusher(32)
		for _call in range(push_settings.LEAST_CALLS + 5):
			first.send("GET", "getrequest", {"sn": first.serial}, with_serial=False)
		answer = second.send("GET", "getrequest", {"sn": second.serial}, with_serial=False)
		self.assertEqual(answer.status_code, 200)
		pushers.settings(push_enabled=1)

	def test_eight_terminals_at_once_lose_and_double_nothing(self) -> None:
		fleet = [self.pusher(number) for number in range(1, 9)]
		faults: list[str] = []

		def work(pusher: Pusher) -> None:
			for step in range(10):
				wanted = (
					("abt1", self.at - timedelta(minutes=step)),
					("abt2", self.at - timedelta(minutes=step)),
				)
				for _twice in range(2):
					answer = pusher.punch(*wanted)
					if "AST constructor recursion depth mismatch" in answer.text:
						# A fault of CPython 3.11 in Frappe's router, before us: a terminal tries again.
						answer = pusher.punch(*wanted)
					if (answer.status_code, answer.text) != (200, "OK: 2"):
						faults.append(f"{answer.status_code} {answer.text[:80]}")
				pusher.poll()

		threads = [threading.Thread(target=work, args=(pusher,)) for pusher in fleet]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(240)
		self.assertEqual(faults, [])
		self.assertEqual(len(self.held()), 8 * 20)
		self.assertTrue(
			pushers.until(lambda: not any(row.status in ("Received", "Pending") for row in self.held()))
		)

	# who may push

	def test_an_unknown_terminal_waits_until_somebody_lets_it_in(self) -> None:
		stranger = Pusher(self.server, None, serial="ABTPUSH9")
		self.assertEqual(stranger.hello().status_code, 503)
		self.assertFalse(frappe.db.exists("Device Pairing", "ABTPUSH9"))
		api.open_pairing("15")  # type: ignore[arg-type]  # as a form sends it
		frappe.db.commit()
		answer = stranger.punch(("abt1", self.at))
		self.assertEqual(answer.status_code, 503)
		self.assertNotIn("OK", answer.text)
		frappe.db.rollback()
		waiting = frappe.get_doc("Device Pairing", "ABTPUSH9")
		self.assertEqual(
			(waiting.state, waiting.peer, waiting.dialect), ("Waiting", "127.0.0.1", "attendance")
		)
		self.assertEqual(self.held(), [])
		values = {"device_name": f"{premises.MARK} Paired", "time_zone": "Asia/Dubai", "device_role": "In"}
		device = pairing.approve("ABTPUSH9", None, values)
		frappe.db.commit()
		made = frappe.get_doc("Device Configuration", device)
		self.assertEqual((made.driver, made.road, made.push), ("zkteco_adms", "Push", 1))
		self.assertEqual(stranger.punch(("abt1", self.at)).text, "OK: 1")
		self.assertEqual([row.device for row in self.held()], [device])
		pairing.refuse("ABTPUSH9")
		frappe.db.commit()
		self.assertEqual(stranger.punch(("abt2", self.at)).status_code, 403)
		self.assertEqual(len(self.held()), 1)

	def test_the_list_is_bounded(self) -> None:
		push_settings.open_pairing(15)
		frappe.db.commit()
		with pushers.changed(pairing, "MOST_WAITING", 0):
			# The server has its own copy of the module: ask here.
			standing = pairing.knock(pushers.knock("ABTPUSH8"))
		self.assertEqual(standing.value, "not_listed")
		self.assertFalse(frappe.db.exists("Device Pairing", "ABTPUSH8"))

	def test_who_has_not_called_for_long_is_forgotten(self) -> None:
		push_settings.open_pairing(15)
		pairing.knock(pushers.knock("ABTPUSH8"))
		pairing.knock(pushers.knock("ABTPUSH7"))
		long_ago = moments.now() - pairing.KEPT_WAITING - timedelta(hours=1)
		frappe.db.set_value("Device Pairing", "ABTPUSH8", "last_called", long_ago)
		jobs.clean_up()
		self.assertEqual(
			frappe.get_all("Device Pairing", {"name": ("like", "ABTPUSH%")}, pluck="name"), ["ABTPUSH7"]
		)

	def test_a_terminal_that_is_disabled_is_turned_away(self) -> None:
		pusher = self.pusher(enabled=0)
		push_settings.open_pairing(15)
		frappe.db.commit()
		self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 403)
		self.assertEqual(self.held(), [])

	def test_a_token_must_stand_in_the_path(self) -> None:
		pusher = self.pusher()
		set_encrypted_password("Device Configuration", pusher.device, TOKEN, "push_token")
		frappe.db.set_value("Device Configuration", pusher.device, "push_token", "*" * len(TOKEN))
		frappe.db.commit()
		for prefix in ("/iclock", "/iclock/Wrong-ipsum-dolor-27", "/Wrong-ipsum-dolor-27/iclock"):
			pusher.prefix = prefix
			self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 403, prefix)
		self.assertEqual(self.held(), [])
		for prefix in (f"/iclock/{TOKEN}", f"/{TOKEN}/iclock"):
			pusher.prefix = prefix
			self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 200, prefix)

	def test_the_token_of_the_settings_counts_for_terminals_without_one(self) -> None:
		pusher = self.pusher()
		pushers.settings(push_enabled=1, push_token=TOKEN)
		self.assertEqual(pusher.hello().status_code, 403)
		pusher.prefix = f"/{TOKEN}/iclock"
		self.assertEqual(pusher.hello().status_code, 200)

	def test_from_where_it_may_call(self) -> None:
		pusher = self.pusher()
		pushers.settings(push_enabled=1, push_networks="192.0.2.0/24 2001:db8::/32")
		self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 403)
		# The proxy on this machine says who called; what stands before its word may be made up.
		for forwarded, status in (
			("192.0.2.7", 200),
			("198.51.100.1", 403),
			("192.0.2.7, 198.51.100.1", 403),
			("198.51.100.1, 192.0.2.7", 200),
			("2001:db8::7", 200),
			("nonsense", 403),
		):
			with self.subTest(forwarded=forwarded):
				pusher.headers = {"X-Forwarded-For": forwarded}
				self.assertEqual(pusher.hello().status_code, status)
		frappe.db.set_value("Device Configuration", pusher.device, "push_networks", "127.0.0.1")
		frappe.db.commit()
		pusher.headers = {}
		self.assertEqual(pusher.hello().status_code, 200)

	def test_nothing_is_there_while_it_is_switched_off(self) -> None:
		pusher = self.pusher()
		pushers.settings(push_enabled=0)
		self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 404)
		self.assertEqual(self.held(), [])
		pushers.settings(push_enabled=1)
		self.assertEqual(pusher.punch(("abt1", self.at)).status_code, 200)

	def test_who_calls_too_often_is_told_to_wait(self) -> None:
		pusher = self.pusher(30)
		pushers.settings(push_enabled=1, push_requests_a_minute=push_settings.LEAST_CALLS)
		statuses = [pusher.poll().status_code for _call in range(2 * push_settings.LEAST_CALLS + 2)]
		self.assertEqual(set(statuses), {200, 429})
		self.assertGreaterEqual(statuses.count(200), push_settings.LEAST_CALLS)
		pushers.settings(push_enabled=1)

	def test_a_body_that_is_too_large_is_not_acknowledged(self) -> None:
		pusher = self.pusher()
		pushers.settings(push_enabled=1, push_body_kib=push_settings.LEAST_BODY_KIB)
		many = [("abt1", self.at - timedelta(minutes=step)) for step in range(3000)]
		self.assertEqual(pusher.punch(*many).status_code, 413)
		self.assertEqual(self.held(), [])

	def test_a_logged_in_browser_is_nobody_here(self) -> None:
		pusher = self.pusher()
		caller = Caller(self.server).log_in("Administrator", "admin")
		answer = caller.get("/iclock/getrequest", SN=pusher.serial)
		self.assertEqual(answer.status_code, 403)

	def test_other_pages_are_left_alone(self) -> None:
		for path in ("/", "/login", "/iclock-terminals", "/app/iclock", "/iclock/a/b/c", "/x/y/iclock/cdata"):
			with self.subTest(path=path):
				self.assertFalse(pushers.page(path).can_render())
		for path in ("/iclock", "/iclock/cdata", "/iclock/x/getrequest", f"/{TOKEN}/iclock/cdata.aspx"):
			with self.subTest(path=path):
				self.assertTrue(pushers.page(path).can_render())
		self.assertIn("attendance_bridge.bench.iclock.TerminalPage", frappe.get_hooks("page_renderer"))
		self.assertIs(iclock.TerminalPage, pushers.page("/").__class__)
		answer = Caller(self.server).get("/robots.txt")
		self.assertEqual(answer.status_code, 200)
		self.assertIn("Set-Cookie", answer.headers)
