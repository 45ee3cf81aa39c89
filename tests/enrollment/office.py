"""An agent with its pages, and somebody who may enrol people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.service import Enrollments
from attendance_bridge.edge.web.access.passwords import hash_password
from attendance_bridge.simulators.camera import CameraState, verbs
from attendance_bridge.stores.accounts import Accounts
from tests.edge.vision.rig import Sight, configuration, eventually, seeing
from tests.enrollment.heads import LOOKS

PASSWORD = "correct horse battery staple"
ROLES = {"hr": "enroller", "guard": "viewer"}
NOBODY: Mapping[str, Sequence[int]] = {}


@contextmanager
def office(folder: Path, *, enrolled: Mapping[str, Sequence[int]] = NOBODY, **tables: Any) -> Iterator[Sight]:
	"""A running agent that serves its pages, has its list of people, and accounts by the names of ROLES."""
	mapping = configuration(folder, web={"enabled": True, "port": 0}, **tables)
	with seeing(mapping, enrolled=enrolled) as sight:
		accounts, now = Accounts(sight.agent.database), datetime.now(timezone.utc)
		for name, role in ROLES.items():
			accounts.add(name, role, hash_password(PASSWORD), by="test", at=now)
		eventually(lambda: sight.agent.roster.people())
		yield sight


def service(sight: Sight) -> Enrollments:
	assert sight.agent.enrollment is not None
	return sight.agent.enrollment


def address(sight: Sight) -> str:
	assert sight.agent.web is not None
	return sight.agent.web.address.rstrip("/")


def wanted_pose(sight: Sight) -> Pose | None:
	"""Of the enrollment under way; None if there is none."""
	open_ones = [each.session for each in service(sight)._all() if not each.session.over]
	return open_ones[0].pose if open_ones else None


def jpeg(pixels: np.ndarray) -> bytes:
	return bytes(cv2.imencode(".jpg", pixels)[1])


def drawn(face: int, pose: Pose = Pose.FRONT, *, scale: float = 2.0) -> bytes:
	"""A picture of somebody who holds the head in a pose."""
	state = CameraState()
	visitor = verbs.come(state, face, at=-10.0, scale=scale)
	verbs.turn(state, visitor, LOOKS[pose], at=-10.0)
	return jpeg(state.frame(0))
