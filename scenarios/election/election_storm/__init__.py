"""Incident 04."""
