"""Enrollment: a person's face becomes templates, after they agreed and after each shot was validated."""
