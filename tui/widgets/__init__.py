"""Widgets: they get values and post messages, and never reach for the cluster."""
