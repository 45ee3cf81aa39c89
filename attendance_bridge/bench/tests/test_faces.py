"""Faces on the real site: what is taken and handed on, and that what is erased is gone, with a record."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import frappe

from attendance_bridge.bench import erasing, face_changes, face_templates, moments, told_erasures, vault
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.sent_fields import BadFieldError
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, faces_at_work, premises
from attendance_bridge.bench.tests.faces_at_work import GIVEN, MODEL, consent, spoken, template, vector
from attendance_bridge.core.consent import digest_of

OTHER_MODEL = "other-99999999"


class TestFaces(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._clear()
		cls.addClassCleanup(agents_at_work.clear)
		agents_at_work.clear()
		cls.gate, cls.hall = (cls._agent(agents_at_work.agent(number).name) for number in (1, 2))

	def setUp(self) -> None:
		self.addCleanup(self._clear)
		self.anna, self.ben = (premises.employee(number) for number in (1, 2))
		frappe.db.commit()

	@staticmethod
	def _clear() -> None:
		faces_at_work.clear()
		premises.clear()

	@staticmethod
	def _agent(name: str, **scope: str) -> Agent:
		return Agent(name=name, **scope)

	def _send(self, *templates: dict[str, Any], consents: Any = (), agent: Agent | None = None) -> list[Any]:
		body = {"templates": list(templates), "consents": list(consents)}
		receipts = face_templates.take(agent or self.gate, body)
		return [(receipt["outcome"], receipt["reason"], receipt["known"]) for receipt in receipts]

	def _enroll(self, *seeds: int, employee: str = "") -> list[dict[str, Any]]:
		employee = employee or self.anna
		templates = [template(seed, employee) for seed in seeds]
		taken = self._send(*templates, consents=[consent(employee)])
		self.assertEqual(taken, [("accepted", "", False)] * len(seeds))
		return templates

	def _page(self, agent: Agent | None = None, token: str = "", **values: Any) -> Any:
		return face_changes.page(agent or self.hall, {"token": token, "models": [MODEL], **values})

	def _ids(self, page: Any) -> dict[str, list[str]]:
		return {
			person["employee"]: [each["template_id"] for each in person["templates"]]
			for person in page["people"]
		}

	def _records(self, employee: str = "") -> list[Any]:
		return frappe.get_all(
			"Biometric Erasure",
			filters={"employee": employee or self.anna},
			fields=["name", "reason", "templates", "ids_sha256", "id_hashes", "erased_by", "unconfirmed"],
			order_by="creation",
		)

	def _held(self) -> int:
		names = frappe.get_all(
			"Face Template", {"employee": ("in", premises.own_employees())}, pluck="name"
		) or [""]
		(sealed,) = frappe.db.sql_list(f"SELECT COUNT(*) FROM `{vault.TABLE}` WHERE `name` IN %s", (names,))
		self.assertEqual(sealed, len([name for name in names if name]))
		return int(sealed)

	def test_what_one_agent_brings_reaches_another(self) -> None:
		sent = self._enroll(1, 2)
		page = self._page()
		person = next(person for person in page["people"] if person["employee"] == self.anna)
		self.assertEqual(person["templates"], sent)
		self.assertEqual(person["consent"], consent(self.anna))
		self.assertTrue(page["whole"] and page["central"] and not page["more"])
		row = frappe.get_doc("Face Template", sent[0]["template_id"])
		self.assertEqual(
			(row.edge_agent, row.company, row.pose), (self.gate.name, premises.company(), "left")
		)
		self.assertEqual(row.consent, frappe.db.get_value("Face Consent", {"employee": self.anna}))

	def test_sending_again_is_free(self) -> None:
		sent = self._enroll(1)
		self.assertEqual(self._send(*sent, consents=[consent(self.anna)]), [("accepted", "", True)])
		self.assertEqual(self._held(), 1)
		self.assertEqual(frappe.db.count("Face Consent", {"employee": self.anna}), 1)

	def test_what_is_refused(self) -> None:
		self._enroll(1)
		left = premises.employee(3, status="Left", relieving_date="2026-03-01")
		elsewhere = self._agent(self.gate.name, company="Nowhere")
		good = template(2, self.anna)
		cases = [
			(template(2, self.ben), "consent_missing"),
			(template(2, "HR-EMP-NOBODY"), "unknown_employee"),
			(template(2, left), "left"),
			({**template(1, self.ben), "model": MODEL}, "bad_template"),
			*(
				({**good, key: value}, "bad_template")
				for key, value in (
					("vector", base64.b64encode(b"\0" * 2048).decode()),
					("vector", base64.b64encode(b"\xff" * 2048).decode()),
					("vector", base64.b64encode(vector(2) + b"x").decode()),
					("vector", "%"),
					("vector", None),
					("vector", "A" * 30_000),
					("template_id", "x"),
					("template_id", good["template_id"].upper()),
					("template_id", None),
					("employee", ""),
					("employee", "a\ud800"),
					("model", "a\nb"),
					("pose", "upside down"),
					("quality", "good"),
					("captured_at", "yesterday"),
					("captured_at", None),
				)
			),
		]
		for sent, reason in cases:
			with self.subTest(reason=reason, sent={key: str(value)[:20] for key, value in sent.items()}):
				self.assertEqual(
					self._send(sent, consents=[consent(left)] if reason == "left" else ()),
					[("rejected", reason, False)],
				)
		self.assertEqual(self._send(good, agent=elsewhere), [("rejected", "unknown_employee", False)])
		self.assertEqual(self._held(), 1)
		for body in (
			{"templates": "x"},
			{"templates": [good] * 101},
			{"consents": [{**consent(self.anna), "text_sha256": "x"}]},
			{"consents": [{**consent(self.anna), "given_at": None}]},
		):
			self.assertRaises(BadFieldError, face_templates.take, self.gate, body)

	def test_a_bad_one_does_not_sink_its_neighbours(self) -> None:
		outcomes = self._send(
			template(1, self.anna), {}, template(2, self.anna), consents=[consent(self.anna)]
		)
		self.assertEqual(
			[outcome for outcome, _reason, _known in outcomes], ["accepted", "rejected", "accepted"]
		)

	def test_only_models_that_the_agent_names(self) -> None:
		self._enroll(1)
		self._send(template(2, self.anna, model=OTHER_MODEL))
		other = template(2, self.anna)["template_id"]
		self.assertEqual(self._ids(self._page(models=[OTHER_MODEL])), {self.anna: [other]})
		self.assertEqual(self._ids(self._page(models=[OTHER_MODEL.upper()])), {self.anna: []})
		self.assertEqual(self._ids(self._page(models=[])), {self.anna: []})
		for models in ("x", [1], [""], ["m"] * 9):
			self.assertRaises(BadFieldError, self._page, models=models)

	def test_changes_since_a_token(self) -> None:
		self._enroll(1)
		self._enroll(2, employee=self.ben)
		page = self._page(page_length=1)
		self.assertTrue(page["more"] and page["whole"])
		self.assertEqual(list(self._ids(page)), [self.anna])
		page = self._page(token=page["token"], page_length=1)
		self.assertFalse(page["more"] or page["whole"])
		self.assertEqual(list(self._ids(page)), [self.ben])
		self._age()
		page = self._page(token=page["token"])
		self.assertEqual((page["people"], page["gone"], page["whole"]), ([], [], False))
		self._send(template(3, self.ben))
		page = self._page(token=page["token"])
		self.assertEqual(list(self._ids(page)), [self.ben])
		self.assertEqual(len(self._ids(page)[self.ben]), 2)
		self.assertTrue(self._page(token=page["token"], models=[OTHER_MODEL])["whole"])
		self.assertTrue(self._page(token="x" + page["token"])["whole"])
		with patch.object(moments, "utc_now", return_value=moments.utc_now() + timedelta(hours=25)):
			self.assertTrue(self._page(token=page["token"])["whole"])

	def _age(self) -> None:
		before = moments.now() - timedelta(hours=1)
		for doctype in ("Employee", "Face Template", "Face Consent", "Biometric Erasure"):
			frappe.db.sql(f"UPDATE `tab{doctype}` SET `modified` = LEAST(`modified`, %s)", before)

	def test_whoever_leaves_the_scope_is_gone(self) -> None:
		self._enroll(1)
		agent = self._agent(self.hall.name, company=premises.company())
		page = self._page(agent)
		self.assertEqual(list(self._ids(page)), [self.anna])
		frappe.db.set_value("Employee", self.anna, "company", "ABT Other")
		page = self._page(agent, token=page["token"])
		self.assertEqual((page["people"], page["gone"]), ([], [self.anna]))

	def test_a_page_ends_where_an_answer_would_become_too_large(self) -> None:
		self._enroll(1)
		self._enroll(2, employee=self.ben)
		with patch.object(face_changes, "ENOUGH_TEXT", 100):
			page = self._page()
			self.assertEqual((list(self._ids(page)), page["more"]), ([self.anna], True))
			page = self._page(token=page["token"])
			self.assertEqual((list(self._ids(page)), page["more"]), ([self.ben], False))

	def test_withdrawing_at_the_desk_erases_at_once_and_at_every_agent(self) -> None:
		sent = self._enroll(1, 2)
		erasing.withdraw_at_the_desk(self.anna)
		self.assertEqual(self._held(), 0)
		(record,) = self._records()
		ids = [UUID(each["template_id"]) for each in sent]
		self.assertEqual(
			(record.reason, record.templates, record.erased_by), ("Withdrawn", 2, "Administrator")
		)
		self.assertEqual(record.ids_sha256, digest_of(ids))
		hashes = sorted(hashlib.sha256(each.bytes).hexdigest() for each in ids)
		self.assertEqual(record.id_hashes.split("\n"), hashes)
		self.assertEqual(record.unconfirmed, frappe.db.count("Edge Agent"))
		for agent in (self.gate, self.hall):
			page = self._page(agent)
			(order,) = page["erasures"]
			self.assertEqual(
				(order["erasure"], order["employee"], order["reason"]), (record.name, self.anna, "withdrawn")
			)
			(person,) = page["people"]
			self.assertTrue(person["consent"]["withdrawn_at"])
			self.assertEqual(person["templates"], [])
			confirmed = {"erasure": record.name, "at": order["at"], "templates": 2, "traces_gone_at": None}
			for news in (1, 0):
				told = told_erasures.take(agent, {"confirmed": [confirmed]})
				self.assertEqual(told, {"withdrawn": 0, "requested": 0, "confirmed": news})
			later = {**confirmed, "traces_gone_at": spoken(moments.utc_now())}
			told_erasures.take(agent, {"confirmed": [later]})
			self.assertEqual(self._page(agent)["erasures"], [])
		rows = frappe.get_all(
			"Erasure Confirmation",
			{"parent": record.name, "agent": ("in", [self.gate.name, self.hall.name])},
			["confirmed_at", "templates", "traces_gone_at"],
		)
		self.assertTrue(all(row.confirmed_at and row.traces_gone_at and row.templates == 2 for row in rows))
		self.assertEqual(self._records()[0].unconfirmed, frappe.db.count("Edge Agent") - 2)

	def test_nothing_of_the_withdrawn_comes_back(self) -> None:
		sent = self._enroll(1)
		erasing.withdraw_at_the_desk(self.anna)
		self.assertEqual(self._send(*sent), [("rejected", "consent_missing", False)])
		again = consent(self.anna, given_at=spoken(moments.utc_now() + timedelta(seconds=30)))
		frappe.db.set_value("Biometric Erasure", {"employee": self.anna}, "erased_utc", "2026-06-01")
		frappe.db.set_value("Face Consent", {"employee": self.anna}, "withdrawn_at", "2026-06-01")
		self.assertEqual(self._send(*sent, consents=[again]), [("rejected", "erased", False)])
		new = template(2, self.anna, captured_at=spoken(moments.utc_now()))
		self.assertEqual(self._send(new), [("accepted", "", False)])

	def test_a_consent_that_comes_after_its_withdrawal_does_not_hold(self) -> None:
		erasing.withdraw_at_the_desk(self.anna)
		self.assertEqual(
			self._send(template(1, self.anna), consents=[consent(self.anna)]),
			[("rejected", "consent_missing", False)],
		)

	def test_withdrawing_at_an_agent(self) -> None:
		self._enroll(1)
		act = {"employee": self.anna, "at": spoken(moments.utc_now()), "by": "kiosk"}
		for news in (1, 0):
			told = told_erasures.take(self.gate, {"withdrawals": [act]})
			self.assertEqual(told["withdrawn"], news)
		self.assertEqual(self._held(), 0)
		self.assertEqual([record.reason for record in self._records()], ["Withdrawn"])
		self.assertEqual(self._records()[0].erased_by, f"{self.gate.name}: kiosk")
		self.assertEqual(len(self._page()["erasures"]), 1)

	def test_a_withdrawn_consent_that_an_agent_sends_is_a_withdrawal(self) -> None:
		self._enroll(1)
		withdrawn = consent(self.anna, withdrawn_at=spoken(moments.utc_now()))
		self._send(consents=[withdrawn])
		self._send(consents=[withdrawn])
		self.assertEqual(self._held(), 0)
		self.assertEqual([record.reason for record in self._records()], ["Withdrawn"])

	def test_an_old_withdrawal_leaves_a_newer_consent_alone(self) -> None:
		self._enroll(1)
		self._send(template(60 * 24 * 3, self.anna), consents=[consent(self.anna, days=2)])
		act = {"employee": self.anna, "at": spoken(GIVEN + timedelta(days=1)), "by": ""}
		told_erasures.take(self.gate, {"withdrawals": [act]})
		self.assertEqual(self._ids(self._page()), {self.anna: [template(60 * 24 * 3, "")["template_id"]]})
		(person,) = self._page()["people"]
		self.assertIsNone(person["consent"]["withdrawn_at"])

	def test_erasing_by_request_leaves_the_consent(self) -> None:
		self._enroll(1)
		act = {"employee": self.anna, "at": spoken(moments.utc_now()), "by": "hr"}
		for news in (1, 0):
			self.assertEqual(told_erasures.take(self.gate, {"requests": [act]})["requested"], news)
		erasing.erase_at_the_desk(self.anna)
		self.assertEqual([record.reason for record in self._records()], ["Requested"] * 2)
		self.assertFalse(frappe.db.get_value("Face Consent", {"employee": self.anna}, "withdrawn_at"))

	def test_agents_speak_for_their_people_only(self) -> None:
		self._enroll(1)
		stranger = self._agent(self.hall.name, company="Nowhere")
		act = {"employee": self.anna, "at": spoken(moments.utc_now()), "by": ""}
		told = told_erasures.take(stranger, {"withdrawals": [act], "requests": [act]})
		self.assertEqual(told, {"withdrawn": 0, "requested": 0, "confirmed": 0})
		self._send(agent=stranger, consents=[consent(self.anna, withdrawn_at=act["at"])])
		self.assertEqual(self._held(), 1)
		erasing.withdraw_at_the_desk(self.anna)
		name = self._records()[0].name
		foreign = {"confirmed": [{"erasure": name, "templates": 0}, {"erasure": "x"}, {}]}
		self.assertEqual(told_erasures.take(self._agent("nobody"), foreign)["confirmed"], 0)

	def test_the_newest_stay(self) -> None:
		seeds = range(1, face_templates.KEPT_OF_A_MODEL + 4)
		self._enroll(*seeds)
		self.assertEqual(self._held(), face_templates.KEPT_OF_A_MODEL)
		(record,) = self._records()
		self.assertEqual((record.reason, record.templates, record.unconfirmed), ("Replaced", 3, 0))
		kept = self._ids(self._page())[self.anna]
		self.assertNotIn(template(1, "")["template_id"], kept)
		self.assertIn(template(seeds[-1], "")["template_id"], kept)

	def test_leavers_after_their_retention(self) -> None:
		self._enroll(1)
		today = moments.now().date()
		frappe.db.set_single_value("Attendance Bridge Settings", "face_retention_days", 10)
		frappe.db.set_value(
			"Employee", self.anna, {"status": "Left", "relieving_date": today - timedelta(days=9)}
		)
		frappe.db.commit()
		self.assertEqual(erasing.erase_leavers(), 0)
		frappe.db.set_value("Employee", self.anna, "relieving_date", today - timedelta(days=10))
		frappe.db.commit()
		erasing.clean_up()
		self.assertEqual(self._held(), 0)
		(record,) = self._records()
		self.assertEqual((record.reason, record.templates), ("Left", 1))
		self.assertEqual(frappe.db.get_value("Face Consent", {"employee": self.anna}, "end_reason"), "Left")
		self.assertEqual([each["reason"] for each in self._page()["erasures"]], ["left"])
		self.assertEqual(erasing.erase_leavers(), 0)

	def test_leaving_queues_the_erasure(self) -> None:
		document = frappe.get_doc("Employee", self.anna)
		document.update({"status": "Left", "relieving_date": moments.now().date()})
		with patch.object(frappe, "enqueue") as enqueue:
			document.save()
		self.assertIn(
			"attendance_bridge.bench.erasing.clean_up", [call.args[0] for call in enqueue.call_args_list]
		)
		self.assertTrue(callable(frappe.get_attr("attendance_bridge.bench.erasing.clean_up")))

	def test_nothing_central(self) -> None:
		self._enroll(1)
		page = self._page()
		settings = frappe.get_doc("Attendance Bridge Settings")
		settings.keep_no_templates = 1
		with patch.object(frappe, "enqueue") as enqueue:
			settings.save()
		self.assertEqual(enqueue.call_count, 1)
		self.assertEqual(self._ids(self._page()), {self.anna: []})
		self.assertEqual(self._send(template(2, self.anna)), [("retry", "not_central", False)])
		erasing.clean_up()
		self.assertEqual(self._held(), 0)
		(record,) = self._records()
		self.assertEqual((record.reason, record.templates, record.unconfirmed), ("Not Central", 1, 0))
		page = self._page(token=page["token"])
		self.assertEqual((page["central"], page["whole"], page["erasures"]), (False, True, []))
		self.assertIsNone(page["people"][0]["consent"]["withdrawn_at"])
		erasing.withdraw_at_the_desk(self.anna)
		self.assertEqual(len(self._page()["erasures"]), 1)

	def test_a_deleted_employee_leaves_the_records_only(self) -> None:
		self._enroll(1)
		frappe.delete_doc("Employee", self.anna, ignore_permissions=True)
		(record,) = self._records()
		self.assertEqual((record.reason, record.templates), ("Left", 1))
		self.assertFalse(frappe.db.exists("Face Template", {"employee": self.anna}))
		frappe.db.delete("Face Consent", {"employee": self.anna})
		frappe.db.delete("Erasure Confirmation", {"parent": record.name})
		frappe.db.delete("Biometric Erasure", {"employee": self.anna})

	def test_a_renamed_employee_keeps_their_face(self) -> None:
		sent = self._enroll(1)
		new = frappe.rename_doc("Employee", self.anna, f"{self.anna}-B", force=True)
		(person,) = [each for each in self._page()["people"] if each["employee"] == new]
		self.assertEqual(person["templates"][0]["vector"], sent[0]["vector"])
		# Agents hold it under the former name: that has to go, or nobody would ever tell them to erase it.
		(order,) = self._page()["erasures"]
		self.assertEqual((order["employee"], order["reason"]), (self.anna, "requested"))
		frappe.db.delete("Erasure Confirmation", {"parent": order["erasure"]})
		frappe.db.delete("Biometric Erasure", {"name": order["erasure"]})

	def test_a_consent_from_before_leaving_that_is_told_late_does_not_hold(self) -> None:
		self._enroll(1)
		frappe.db.set_value("Employee", self.anna, {"status": "Left", "relieving_date": "2026-03-01"})
		self.assertGreaterEqual(erasing.erase_leavers(), 1)
		frappe.db.set_value("Employee", self.anna, {"status": "Active", "relieving_date": None})
		frappe.db.commit()
		late = consent(self.anna, days=1)
		(receipt,) = self._send(template(2, self.anna), consents=[late])
		self.assertEqual(receipt[:2], ("rejected", "consent_missing"))

	def test_what_is_sealed_opens_nowhere_else(self) -> None:
		first, second = (each["template_id"] for each in self._enroll(1, 2))
		rows = frappe.get_all("Face Template", {"employee": self.anna}, ["name", "employee", "model"])
		self.assertEqual(vault.opened(rows), {first: vector(1), second: vector(2)})
		frappe.db.sql(
			f"UPDATE `{vault.TABLE}` a JOIN `{vault.TABLE}` b ON b.`name` = %s SET a.`sealed` = b.`sealed`"
			" WHERE a.`name` = %s",
			(second, first),
		)
		self.assertEqual(vault.opened(rows), {second: vector(2)})
		for changed in ({"employee": self.ben}, {"model": OTHER_MODEL}):
			self.assertEqual(vault.opened([frappe._dict(rows[0], **changed)]), {})
		with patch.object(vault, "get_encryption_key", return_value="another"):
			self.assertEqual(vault.opened(rows), {})
			(person,) = self._page()["people"]
			self.assertEqual([each["vector"] for each in person["templates"]], ["", ""])

	def test_nobody_makes_edits_or_deletes_them(self) -> None:
		self._enroll(1)
		erasing.erase_at_the_desk(self.ben)
		for doctype, employee in (
			("Face Template", self.anna),
			("Face Consent", self.anna),
			("Biometric Erasure", self.ben),
		):
			document = frappe.get_doc(doctype, {"employee": employee})
			with self.subTest(doctype=doctype):
				document.employee = self.ben
				self.assertRaises(frappe.ValidationError, document.save)
				self.assertRaises(frappe.ValidationError, document.delete)
				self.assertRaises(
					frappe.ValidationError, frappe.delete_doc, doctype, document.name, force=True
				)
				if doctype != "Face Consent":
					copy = frappe.copy_doc(document)
					copy.name = str(UUID(int=7))
					self.assertRaises(frappe.PermissionError, copy.insert)
