"""What was captured goes into the gallery, under the consent that it was captured with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from attendance_bridge.core.template import Template
from attendance_bridge.edge.enrollment.pictures import encode
from attendance_bridge.edge.enrollment.session import Session, Shot
from attendance_bridge.stores.gallery import MAX_PICTURE, Gallery


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
	templates: int
	replaced: int
	"""Former templates of the person that were erased."""


def keep(session: Session, gallery: Gallery, *, model: str, replace: bool, by: str, at: datetime) -> Kept:
	"""Keep the shots of a session that is complete: all of them, or none.

	:param model: of the embeddings.
	:param replace: whether former templates of this model are erased.
	:param by: the agent, and who stood beside it.
	:raises StoreError:
	"""
	templates = [_template(shot, session.employee, model, by) for shot in session.shots]
	pictures = {
		template.template_id: encode(shot.crop, MAX_PICTURE)
		for template, shot in zip(templates, session.shots, strict=True)
		if shot.crop is not None
	}
	replaced = gallery.enrol(templates, session.consent, replace=replace, by=by, at=at, pictures=pictures)
	return Kept(templates=len(templates), replaced=replaced)


def _template(shot: Shot, employee: str, model: str, by: str) -> Template:
	return Template(
		template_id=uuid.uuid4(),
		employee=employee,
		model=model,
		vector=shot.embedding.astype("<f4").tobytes(),
		pose=shot.pose,
		quality=shot.quality,
		captured_at=shot.taken_at,
		captured_by=by,
	)
