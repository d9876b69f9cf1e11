"""Incidents: each happens for real, broken and cured, and is judged from its records alone."""
