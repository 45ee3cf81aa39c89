"""What Prometheus is told about seeing: counters that begin at 0 with the agent."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from attendance_bridge.edge.metrics import PREFIX

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


class Figures:
	"""Each is in no registry until it is put into one, so that two agents in one process share none."""

	def __init__(self) -> None:
		self.frames = Counter(
			f"{PREFIX}_vision_frames", "Pictures that were looked at by the motion gate.", registry=None
		)
		self.detections = Counter(
			f"{PREFIX}_vision_detections", "How often the detector looked.", registry=None
		)
		self.embeddings = Counter(f"{PREFIX}_vision_embeddings", "Faces that were embedded.", registry=None)
		self.outcomes = Counter(
			f"{PREFIX}_vision_outcomes",
			"What became of those who stood before the camera: punch, again, unknown, or why not.",
			["outcome"],
			registry=None,
		)
		self.second_factors = Counter(
			f"{PREFIX}_vision_second_factors",
			"PINs and badges, by what became of them.",
			["answer"],
			registry=None,
		)
		self.look = Histogram(
			f"{PREFIX}_vision_look_seconds",
			"How long one picture takes in which the detector looked.",
			buckets=_SECONDS,
			registry=None,
		)
		self.camera_up = Gauge(
			f"{PREFIX}_vision_camera_up", "1 while the camera gives pictures.", registry=None
		)
		self.templates = Gauge(f"{PREFIX}_vision_templates", "Templates in memory.", registry=None)

	@property
	def collectors(self) -> Sequence[Collector]:
		return (
			self.frames,
			self.detections,
			self.embeddings,
			self.outcomes,
			self.second_factors,
			self.look,
			self.camera_up,
			self.templates,
		)
