"""The base class of tests that need a site, under the name that this version of Frappe has for it."""

from __future__ import annotations

try:
	from frappe.tests import IntegrationTestCase
except ImportError:  # v15 knows it by another name
	from frappe.tests.utils import FrappeTestCase as IntegrationTestCase

__all__ = ["IntegrationTestCase"]
