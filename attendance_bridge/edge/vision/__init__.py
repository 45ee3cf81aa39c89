"""The agent sees: a camera, recognition, and what becomes of a person who is recognised."""
