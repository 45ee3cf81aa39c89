"""Plug-ins by file name: a module in a package is its own entry in the table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType


def names(package_path: Iterable[str]) -> tuple[str, ...]:
	"""Names of the public modules and packages below `package_path`, sorted."""
	found = (module.name for module in pkgutil.iter_modules(package_path))
	return tuple(sorted(name for name in found if not name.startswith("_")))


def load(package: str, package_path: Iterable[str], key: str) -> ModuleType:
	"""Import one of them; only names that `names` lists are ever imported.

	:raises KeyError: there is no such module.
	"""
	if key not in names(package_path):
		raise KeyError(key)
	return importlib.import_module(f"{package}.{key}")
