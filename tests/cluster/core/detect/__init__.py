"""Failure detection: arrival windows, forms of φ, verdicts."""
