"""What pages and enrollment need of the seeing agent; `edge.vision.worker.Vision` provides it.

Free of heavy imports: an agent without a camera imports this too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from attendance_bridge.edge.vision.events import VisionEvents

if TYPE_CHECKING:
	from attendance_bridge.edge.frame import Frame
	from attendance_bridge.recognition.engine import Engine
	from attendance_bridge.recognition.face import Floats
	from attendance_bridge.recognition.matcher import Match


class FaceState(str, Enum):
	LOOKING = "looking"
	"""Not decided yet."""
	KNOWN = "known"
	UNKNOWN = "unknown"
	CHALLENGED = "challenged"
	"""Asked to turn the head; `hint` says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceView:
	"""A face in the newest frame that was looked at."""

	track: int
	"""The same face keeps its number."""
	box: tuple[float, float, float, float]
	"""Left, top, right, bottom as shares of the frame, 0 to 1."""
	state: FaceState
	name: str = ""
	"""Of a recognised person only."""
	hint: str = ""
	"""What the person can do: a `recognition.quality.Flaw`, or turn_left or turn_right."""

	def as_json(self) -> dict[str, Any]:
		return {**asdict(self), "box": list(self.box), "state": self.state.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
	"""A frame as JPEG."""

	sequence: int
	width: int
	height: int
	taken_at: datetime
	jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionState:
	"""How camera and model are, for the status page."""

	camera: str
	"""What it is called."""
	camera_state: str
	"""A `edge.camera.CameraState`: opening, open, lost, ended, stopped."""
	camera_since: datetime
	"""Since when it is so: unplugged since, for one that is lost."""
	camera_sentence: str
	"""What is wrong with it and what to do; empty while it is open."""
	camera_fps: float
	width: int
	height: int
	openings: int
	last_frame_at: datetime | None
	serial: str
	"""Of the terminal that this camera is to the site."""
	model: str
	"""Of the templates; empty where recognition cannot be used."""
	engine: str
	generated: bool
	"""The networks are generated and know nothing of real faces."""
	threshold: float
	templates: int
	"""Of this model, in memory."""
	people: int
	looks_per_second: float
	"""How often the detector looks."""
	model_sentence: str = ""
	"""Why recognition cannot be used and what to do; empty while it can."""

	def as_json(self) -> dict[str, Any]:
		return {
			key: value.isoformat() if isinstance(value, datetime) else value
			for key, value in asdict(self).items()
		}


class LiveView(Protocol):
	"""What is to be seen now. Costs nothing while nobody asks."""

	def frame_jpeg(
		self, max_width: int = 640, quality: int = 80, *, after: int = -1, timeout: float = 0.0
	) -> Picture | None:
		"""The newest frame if its sequence is above `after`; waits up to `timeout` seconds for one.

		Encoded once for all who ask for the same size and quality. None if none comes, and while the camera
		is lost.
		"""

	@property
	def faces(self) -> Sequence[FaceView]:
		"""The faces of the last look."""

	@property
	def state(self) -> VisionState: ...


class Answer(str, Enum):
	"""What became of a PIN or a badge."""

	PASSED = "passed"
	WRONG = "wrong"
	TOO_MANY = "too_many"
	"""Wrong once more, and no further try for this person for a while."""
	TOO_LATE = "too_late"
	NO_SUCH_TICKET = "no_such_ticket"


class Choice(str, Enum):
	"""What somebody chose on the kiosk before they are recognised."""

	NONE = ""
	IN = "IN"
	OUT = "OUT"


class SecondFactors(Protocol):
	"""The PINs and badges of people; only hashes are kept."""

	def set(self, employee: str, kind: str, secret: str) -> None:
		"""
		:param kind: pin or badge.
		:raises ValueError: a PIN is 4 to 12 digits, a badge 4 to 64 printable characters.
		"""

	def clear(self, employee: str) -> None: ...

	def kinds(self) -> Mapping[str, frozenset[str]]:
		"""Employee → which of the two they have."""


class Kiosk(Protocol):
	"""What a person at the door does with their hands."""

	def choose(self, choice: Choice) -> None:
		"""For the next punch, if it comes soon (`[kiosk] choice_seconds`)."""

	@property
	def choice(self) -> Choice: ...

	def answer(self, ticket: str, secret: str) -> Answer:
		"""What was typed or read after a SECOND_FACTOR event; a PASSED one has made the punch."""


class Eyes(Protocol):
	"""For enrollment: the camera and the networks, shared with the door.

	The engine takes turns by itself: any thread may call it.
	"""

	@property
	def engine(self) -> Engine: ...

	@property
	def threshold(self) -> float: ...

	def newest(self, after: int = -1, *, timeout: float = 0.0) -> Frame | None:
		"""See `edge.camera.CameraReader.newest`."""

	def search(self, embedding: Floats) -> Match | None:
		"""Whose face this is by the gallery: for catching one that belongs to somebody else already."""

	def enrolling(self) -> AbstractContextManager[None]:
		"""While it is entered, faces before the camera make no punches. May be entered by several."""

	def refresh(self) -> None:
		"""Take the gallery over into memory now, not within the next second."""


class Vision(Protocol):
	"""All of it. `edge.web.services` gets None in its place where nothing is configured."""

	@property
	def live(self) -> LiveView: ...

	@property
	def events(self) -> VisionEvents: ...

	@property
	def kiosk(self) -> Kiosk: ...

	@property
	def eyes(self) -> Eyes: ...

	@property
	def second_factors(self) -> SecondFactors: ...

	def punch_ids(self) -> Sequence[UUID]:
		"""The punches made here lately, the newest first: the kiosk's list of the day begins with them."""
