"""Templates for the tests of the gallery: rows of random numbers, nobody's face."""

from __future__ import annotations

import random
import struct
import uuid
from datetime import datetime, timedelta, timezone

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.faces import ErasureOrder, FacePage, PersonFaces
from attendance_bridge.core.template import Pose, Template

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=timezone.utc)
MODEL = "pack-0123abcd"
TEXT_SHA256 = "ab" * 32


def vector(seed: int, dimension: int = 512) -> bytes:
	chance = random.Random(seed)
	numbers = [chance.gauss(0, 1) for _ in range(dimension)]
	length = sum(number * number for number in numbers) ** 0.5
	return struct.pack(f"<{dimension}f", *(number / length for number in numbers))


def template(seed: int, employee: str = "HR-EMP-1", *, model: str = MODEL, dimension: int = 512) -> Template:
	return Template(
		template_id=uuid.UUID(int=random.Random(seed).getrandbits(128), version=4),
		employee=employee,
		model=model,
		vector=vector(seed, dimension),
		pose=list(Pose)[seed % 5],
		quality=seed % 100 / 100,
		captured_at=NOW + timedelta(seconds=seed),
		captured_by="gate",
	)


def consent(employee: str = "HR-EMP-1", *, days: int = 0, withdrawn: datetime | None = None) -> Consent:
	return Consent(
		employee=employee,
		given_at=NOW + timedelta(days=days),
		text_version="2026-01",
		text_sha256=TEXT_SHA256,
		withdrawn_at=withdrawn,
	)


def person(employee: str, *seeds: int, given: Consent | None = None) -> PersonFaces:
	"""What the site has of somebody."""
	templates = tuple(template(seed, employee) for seed in seeds)
	return PersonFaces(employee=employee, consent=given or consent(employee), templates=templates)


def page(
	*people: PersonFaces,
	gone: tuple[str, ...] = (),
	orders: tuple[ErasureOrder, ...] = (),
	central: bool = True,
	whole: bool = False,
) -> FacePage:
	return FacePage(
		central=central, whole=whole, more=False, token="1", people=people, gone=gone, erasures=orders
	)
