from __future__ import annotations

import threading
import time

from attendance_bridge.edge.pulse import Pulse


def test_a_beat_lets_everybody_who_waits_go_on() -> None:
	pulse = Pulse()
	seen = pulse.wait(-1, 0)
	woken: list[int] = []
	watchers = [threading.Thread(target=lambda: woken.append(pulse.wait(seen, 10))) for _ in range(3)]
	for watcher in watchers:
		watcher.start()
	pulse.beat()
	for watcher in watchers:
		watcher.join(10)
	assert woken == [seen + 1] * 3


def test_beats_run_together_but_are_not_missed() -> None:
	pulse = Pulse()
	seen = pulse.wait(-1, 0)
	pulse.beat()
	pulse.beat()
	assert pulse.wait(seen, 10) == seen + 2


def test_without_a_beat_the_wait_ends_with_its_time() -> None:
	pulse = Pulse()
	seen = pulse.wait(-1, 0)
	began = time.monotonic()
	assert pulse.wait(seen, 0.05) == seen
	assert time.monotonic() - began >= 0.05


def test_after_the_end_nobody_waits() -> None:
	pulse = Pulse()
	assert not pulse.closed
	seen = pulse.wait(-1, 0)
	watcher = threading.Thread(target=pulse.wait, args=(seen, 60))
	watcher.start()
	pulse.close()
	watcher.join(10)
	assert not watcher.is_alive()
	assert pulse.closed
	began = time.monotonic()
	pulse.wait(seen, 60)
	assert time.monotonic() - began < 10
