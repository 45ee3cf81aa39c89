"""Parsers of what comes from outside, a file for each family. See `tests.fuzz.target`."""
