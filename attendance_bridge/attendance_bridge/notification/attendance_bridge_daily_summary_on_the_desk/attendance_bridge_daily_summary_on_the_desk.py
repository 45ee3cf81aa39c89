"""Frappe imports a module beside each standard Notification; there is nothing to add to its context."""
