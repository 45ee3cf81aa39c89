"""What can happen before a camera and to it. `at` is a second of the scene; by default it is now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from attendance_bridge.simulators.camera.face import Image, Look
from attendance_bridge.simulators.camera.state import FOREVER, CameraState, Spell, Trouble, Turn, Visitor


def come(
	state: CameraState,
	who: int | Path | Image,
	*,
	at: float | None = None,
	stay: float = FOREVER,
	place: float = 0.5,
	scale: float = 1.2,
) -> Visitor:
	"""Somebody walks in from the left, stays for so many seconds, and goes to the right.

	:param who: a drawn person's number, or a real picture of a face (a file, or BGR).
	:raises ValueError: the file is no picture.
	"""
	return _enter(state, who, at=at, stay=stay, place=place, scale=scale, is_photo=False)


def hold_up_photo(
	state: CameraState,
	who: int,
	*,
	at: float | None = None,
	stay: float = FOREVER,
	place: float = 0.5,
	scale: float = 1.2,
) -> Visitor:
	"""Somebody holds up a photograph of a drawn person."""
	return _enter(state, who, at=at, stay=stay, place=place, scale=scale, is_photo=True)


def go(state: CameraState, who: Visitor, *, at: float | None = None) -> Visitor:
	"""Somebody who is there goes away; returns them as they are then."""
	return _change(state, who, goes=_moment(state, at))


def turn(
	state: CameraState,
	who: Visitor,
	look: Look,
	*,
	at: float | None = None,
	seconds: float = FOREVER,
) -> Visitor:
	"""Somebody holds the head in another way for a while; returns them as they are then."""
	since = _moment(state, at)
	return _change(state, who, turns=(*who.turns, Turn(since, since + seconds, look)))


def trouble(state: CameraState, what: Trouble, *, at: float | None = None, seconds: float = FOREVER) -> None:
	"""Let the light go out, the lens mist over, the plug come out."""
	since = _moment(state, at)
	with state.lock:
		state.spells.append(Spell(what, since, since + seconds))


def relieve(state: CameraState, what: Trouble, *, at: float | None = None) -> None:
	"""End a trouble."""
	until = _moment(state, at)
	with state.lock:
		state.spells[:] = [
			replace(spell, until=min(spell.until, until)) if spell.trouble is what else spell
			for spell in state.spells
		]


def _enter(
	state: CameraState,
	who: int | Path | Image,
	*,
	at: float | None,
	stay: float,
	place: float,
	scale: float,
	is_photo: bool,
) -> Visitor:
	came = _moment(state, at)
	face = _read(who) if isinstance(who, Path) else who
	visitor = Visitor(face, came, came + stay, place, scale, is_photo)
	with state.lock:
		state.visitors.append(visitor)
	return visitor


def _change(state: CameraState, who: Visitor, **changes: object) -> Visitor:
	changed = replace(who, **changes)  # type: ignore[arg-type]  # each caller names fields of a Visitor
	with state.lock:
		state.visitors[state.visitors.index(who)] = changed
	return changed


def _read(path: Path) -> Image:
	image = cv2.imread(str(path), cv2.IMREAD_COLOR)
	if image is None:
		raise ValueError(f"{path} is no picture")
	return np.asarray(image, dtype=np.uint8)


def _moment(state: CameraState, at: float | None) -> float:
	return state.clock() if at is None else at
