from __future__ import annotations

import subprocess
import sys
import time

from attendance_bridge.edge.latch import Latch

ASKED_AT_EACH_STEP = """
import sys, threading
from attendance_bridge.edge.supervisor import Supervisor

def at_step(number, act):
	left = number
	def trace(frame, event, argument):
		nonlocal left
		left -= 1
		if left == 0:
			sys.settrace(None)
			act()
		return trace
	return trace

number, asleep = 0, threading.Event()
while not asleep.is_set():
	number += 1
	supervisor = Supervisor([])
	def wake():
		asleep.set()
		supervisor.request_stop()
	alarm = threading.Timer(0.4, wake)
	alarm.start()
	sys.settrace(at_step(number, supervisor.request_stop))
	supervisor.wait()
	sys.settrace(None)
	alarm.cancel()
print(number)
"""


def test_whoever_waits_goes_on_when_it_is_set_from_then_on() -> None:
	latch = Latch()
	assert not latch.is_set()
	latch.set()
	latch.set()
	assert latch.is_set()
	assert [latch.wait(), latch.wait(), latch.wait(0)] == [True, True, True]


def test_nobody_waits_longer_than_asked() -> None:
	began = time.monotonic()
	assert not Latch().wait(0.02)
	assert time.monotonic() - began >= 0.02


def test_whoever_is_about_to_wait_is_told_to_end_at_any_step_of_it() -> None:
	"""As by a signal handler, which runs in the same thread, between two steps."""
	done = subprocess.run(
		[sys.executable, "-c", ASKED_AT_EACH_STEP], check=True, timeout=30, capture_output=True, text=True
	)
	assert int(done.stdout) > 1
