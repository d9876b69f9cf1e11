"""Clients outside the nodes: they put, get and compare-and-set, and record what they were told."""
