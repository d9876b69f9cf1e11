"""Incidents of suppression: what should have been done once, and was done twice or not at all."""
