"""Incidents: each happens for real, broken and canonical, and is judged from its records alone."""
