"""Servers that are not ours, each behind one small port: embedded for the run, or somebody's own by address."""
