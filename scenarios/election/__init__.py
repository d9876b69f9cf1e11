"""Leader election and distributed locks."""
