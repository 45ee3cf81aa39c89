"""Where a fault must not be told with what was worked on: faces, and the passwords of terminals.

Frappe writes an unexpected fault into its Error Log with the local variables of every function, and on v16
with the whole request. What fails within `confidential` is told by its kind and place only.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

SERVER_ERROR = 500
UNAVAILABLE = 503


@contextmanager
def confidential() -> Iterator[None]:
	"""End a request that meets a fault of ours with 503 and no words, after a rollback: the agent asks again.

	What is refused with reason (a status below 500) goes on as it is.
	"""
	try:
		yield
	except Exception as error:
		if getattr(error, "http_status_code", SERVER_ERROR) < SERVER_ERROR:
			raise
		frappe.db.rollback()
		frappe.local.response.http_status_code = UNAVAILABLE
		tell(error, "An agent's request met a fault")


def tell(error: Exception, title: str) -> None:
	"""Write a fault into the Error Log by its kind and place, without what was worked on. Commits."""
	# The log takes the request with it.
	frappe.local.form_dict = frappe._dict()
	places = "".join(traceback.format_tb(error.__traceback__))
	# The text of an error may hold what it is about; the number of one of the database does not.
	number = next((each for each in error.args[:1] if isinstance(each, int)), "")
	frappe.log_error(title=title, message=f"{places}{type(error).__name__} {number}")
	frappe.db.commit()  # nosemgrep  # the rollback is over, and a GET would not
