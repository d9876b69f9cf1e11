"""Real-world coordination incidents, each broken and then cured."""
