"""The pairing list as two threads use it: who decides, and who goes by what was decided."""

from __future__ import annotations

import threading

from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.push import Caller, PushBook
from tests.edge.rig import PATIENCE, Edge


class _SlowBook(PushBook):
	"""Another thread decides after it was read for the first time, and before anybody goes by that."""

	decide: threading.Thread | None = None

	def all(self) -> list[Caller]:
		read = super().all()
		deciding, self.decide = self.decide, None
		if deciding is not None:
			deciding.start()
			deciding.join(0.1)  # as far as it gets
		return read


def test_a_list_that_was_read_before_a_decision_does_not_undo_it(edge: Edge) -> None:
	book, terminals = _SlowBook(edge.database), Terminals(())
	pairing = Pairing(book, terminals, now=edge.clock)
	decide = threading.Thread(
		target=pairing.approve,
		args=("GATE1",),
		kwargs={"name": "Gate", "zone": "Asia/Dubai", "role": "in", "user_id_prefix": "", "by": "boss"},
	)
	book.decide = decide
	pairing.reload()
	decide.join(PATIENCE)
	assert [device.settings.serial for device in terminals.pushed] == ["GATE1"]
