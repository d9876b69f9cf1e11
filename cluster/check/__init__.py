"""Judges: pure checkers of histories and of what nodes reported."""
