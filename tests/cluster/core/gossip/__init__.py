"""Gossip, driven by hand and in virtual time."""
