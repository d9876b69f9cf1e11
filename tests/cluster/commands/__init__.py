"""Mirrors cluster/commands."""
