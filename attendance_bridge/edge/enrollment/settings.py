"""The table `[enrollment]` of the configuration: how good shots must be, how long it takes, the consent."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.config import option
from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.quality import ENROLLMENT, Limits

_TURNED_EYES, _TURNED_SCORE, _TURNED_ROLL = 0.75, 0.1, 10.0
"""What a turned head may lack against one that looks ahead: eyes are seen nearer to each other, and so on."""


def _check_language(value: str) -> str:
	if value and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
		raise ValueError("the code of a language, such as en, ar or pt-BR")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentSettings:
	limits: Limits = ENROLLMENT
	ready_seconds: float = option(
		1.0,
		help="for how long nothing is captured at first: whoever has just touched the screen looks down",
		minimum=0,
		maximum=10,
	)
	good_frames: int = option(3, help="how many pictures in a row must be good", minimum=1, maximum=30)
	hold_seconds: float = option(0.4, help="for how long they must be good at least", minimum=0, maximum=5)
	off_centre: float = option(
		0.2,
		help="how far from the middle the face may be, as a share of the picture",
		minimum=0.05,
		maximum=0.5,
	)
	too_close: float = option(
		0.85, help="how high the face may be, as a share of the picture", minimum=0.3, maximum=1
	)
	speed: float = option(
		1.2, help="how fast the face may move, in distances of the eyes a second", minimum=0.1, maximum=20
	)
	most_turned: float = option(
		0.8, help="from here on a head is turned too far to the side", minimum=0.4, maximum=1
	)
	most_raised: float = option(
		0.8, help="from here on a head is raised or lowered too far", minimum=0.3, maximum=1
	)
	bystander: float = option(
		0.5,
		help="a second face disturbs from this height on, as a share of the first's",
		minimum=0,
		maximum=1,
	)
	same_share: float = option(
		0.75,
		help="what share of the recognition threshold the shots of one person must reach among themselves",
		minimum=0.3,
		maximum=1,
	)
	seconds: float = option(120.0, help="how long one enrollment may take", minimum=10, maximum=1800)
	idle_seconds: float = option(
		30.0, help="how long nobody may be seen before it is ended", minimum=3, maximum=600
	)
	frames_per_second: float = option(
		8.0, help="how many pictures of the camera are looked at", minimum=1, maximum=30
	)
	consent_file: Path | None = option(
		None,
		help="the company's own words to agree to (UTF-8); by default the ones that come with the program",
	)
	consent_version: str = option(
		"", help="how the company calls these words, such as 2026-01; needed with consent_file", max_length=60
	)

	consent_language: str = option(
		"",
		help="code of the language of these words, such as en or ar; for the record of each consent",
		max_length=20,
		check=_check_language,
	)

	def __post_init__(self) -> None:
		if (self.consent_file is None) is not (not self.consent_version.strip()):
			raise ValueError("consent_file and consent_version, or neither")
		if self.consent_language and self.consent_file is None:
			raise ValueError("consent_language with consent_file only: the words that come along are English")

	def limits_for(self, pose: Pose) -> Limits:
		"""What a shot in this pose must reach."""
		if pose is Pose.FRONT:
			return self.limits
		return dataclasses.replace(
			self.limits,
			inter_eye=self.limits.inter_eye * _TURNED_EYES,
			score=max(0.0, self.limits.score - _TURNED_SCORE),
			roll=self.limits.roll + _TURNED_ROLL,
		)
