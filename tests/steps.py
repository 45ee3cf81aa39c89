"""Another thread that comes in at a chosen step, instead of whenever it happens to."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any


def at_step(
	number: int, act: Callable[[], object], *, each: str = "opcode"
) -> Callable[[FrameType, str, Any], Any]:
	"""For `sys.settrace`: at step `number` of the calls that follow, `act` is done.

	:param each: what counts as a step: opcode or line.
	"""
	left = number

	def trace(frame: FrameType, event: str, _argument: Any) -> Any:
		nonlocal left
		frame.f_trace_opcodes = each == "opcode"
		if event == each:
			left -= 1
			if left == 0:
				act()
		return trace

	return trace
