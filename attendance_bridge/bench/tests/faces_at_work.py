"""Faces for tests: rows of random numbers, nobody's, as agents send them."""

from __future__ import annotations

import base64
import random
import struct
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe

from attendance_bridge.bench.sent_fields import spell_moment
from attendance_bridge.bench.tests import premises

MODEL = "pack-0123abcd"
GIVEN = datetime(2026, 3, 2, 6, 0, tzinfo=timezone.utc)
TEXT_SHA256 = "ab" * 32


def vector(seed: int, dimension: int = 512) -> bytes:
	chance = random.Random(seed)
	numbers = [chance.gauss(0, 1) for _ in range(dimension)]
	length = sum(number * number for number in numbers) ** 0.5
	return struct.pack(f"<{dimension}f", *(number / length for number in numbers))


def template(seed: int, employee: str, **values: Any) -> dict[str, Any]:
	return {
		"template_id": str(uuid.UUID(int=random.Random(seed).getrandbits(128), version=4)),
		"employee": employee,
		"model": MODEL,
		"pose": "left",
		"quality": 0.75,
		"captured_at": spell_moment(GIVEN + timedelta(minutes=seed)),
		"captured_by": "Gate: hr@example.com",
		"vector": base64.b64encode(vector(seed)).decode(),
		**values,
	}


def consent(employee: str, *, days: float = 0, **values: Any) -> dict[str, Any]:
	return {
		"employee": employee,
		"given_at": spell_moment(GIVEN + timedelta(days=days)),
		"text_version": "2026-01",
		"text_sha256": TEXT_SHA256,
		"text_language": "en",
		"given_to": "Gate: hr@example.com",
		"withdrawn_at": None,
		**values,
	}


def spoken(moment: datetime) -> str:
	return spell_moment(moment)


def clear() -> None:
	"""Remove what tests left of faces. Commits."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	people = premises.own_employees() or [""]
	for doctype in ("Face Template", "Face Consent"):
		frappe.db.delete(doctype, {"employee": ("in", people)})
	records = frappe.get_all("Biometric Erasure", {"employee": ("in", people)}, pluck="name") or [""]
	frappe.db.delete("Erasure Confirmation", {"parent": ("in", records)})
	frappe.db.delete("Biometric Erasure", {"name": ("in", records)})
	frappe.db.sql(
		"DELETE FROM `__attendance_bridge_vault` WHERE `name` NOT IN (SELECT `name` FROM `tabFace Template`)"
	)
	frappe.db.set_single_value(
		"Attendance Bridge Settings", {"keep_no_templates": 0, "face_retention_days": 0}
	)
	frappe.db.commit()
