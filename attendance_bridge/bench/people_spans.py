"""Reads what many people did within a span of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import frappe

_EACH_BY_INDEX = "SET STATEMENT in_predicate_conversion_threshold = 0 FOR "
"""MariaDB makes a join of an IN with 1,000 values or more, and a join looks up a person alone, not a person
and a span of time: everything that each of them ever did is read then."""


def read(statement: str, values: Mapping[str, Any] | Sequence[Any], *, as_dict: bool = True) -> list[Any]:
	"""The rows of a SELECT with an IN over employees, and a span on the column that follows in the index.

	:param values: what is bound to the statement.
	"""
	return list(frappe.db.sql(_EACH_BY_INDEX + statement, values, as_dict=as_dict))
