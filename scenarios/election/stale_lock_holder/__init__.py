"""A lock holder pauses for longer than its lock lives, wakes, and writes."""
