"""Failure detection: arrival windows and the verdicts drawn from them."""
