"""Templates of another model made anew for the present one, from the pictures that were kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.template import Template
from attendance_bridge.edge.enrollment.pictures import (
	MAX_PHOTO_BYTES,
	MAX_PHOTO_PIXELS,
	PictureError,
	decode,
)
from attendance_bridge.edge.vision.portraits import look_at
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.stores.gallery import Gallery


@dataclass(frozen=True, slots=True, kw_only=True)
class Reembedded:
	"""What became of everybody who had templates of other models only."""

	done: dict[str, int]
	"""Employee → how many templates were made."""
	left: tuple[str, ...]
	"""To be enrolled again: no picture was kept, none shows a face, or the consent does not hold."""


def reembed(gallery: Gallery, engine: Engine) -> Reembedded:
	"""Make what can be made. The templates of the other models stay; interrupted, it can be called again.

	:raises StoreError: the gallery cannot be used.
	"""
	done: dict[str, int] = {}
	left: list[str] = []
	for employee in gallery.outdated(engine.model):
		made: list[Template] = []
		pictures: dict[UUID, bytes] = {}
		for template in _newest(gallery.by_employee(employee)):
			found = _again(gallery, engine, template)
			if found is not None:
				made.append(found[0])
				pictures[found[0].template_id] = found[1]
		if made and _add(gallery, made, pictures):
			done[employee] = len(made)
		else:
			left.append(employee)
	return Reembedded(done=done, left=tuple(left))


def _newest(templates: list[Template]) -> list[Template]:
	"""Those of the model that the person was enrolled with last."""
	last = max(templates, key=lambda each: each.captured_at, default=None)
	return [each for each in templates if last is not None and each.model == last.model]


def _again(gallery: Gallery, engine: Engine, template: Template) -> tuple[Template, bytes] | None:
	picture = gallery.picture(template.template_id)
	if picture is None:
		return None
	try:
		image = decode(picture, max_bytes=MAX_PHOTO_BYTES, max_pixels=MAX_PHOTO_PIXELS)
	except PictureError:
		return None
	portraits = look_at(image, engine)
	if not portraits:
		return None
	made = portraits[0].template(
		template.employee,
		engine.model,
		pose=template.pose,
		captured_at=template.captured_at,
		captured_by=template.captured_by,
	)
	return made, picture


def _add(gallery: Gallery, made: list[Template], pictures: dict[UUID, bytes]) -> bool:
	try:
		gallery.add(made, pictures=pictures)
	except StoreError as error:
		if error.code is not Code.CONSENT_MISSING:
			raise
		return False
	return True
