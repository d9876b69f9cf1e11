"""Replicated stores that one load can be put on alike: our own, and those that it is measured beside."""
