"""Every punch on every terminal becomes exactly one check-in."""

__version__ = "0.1.0"
