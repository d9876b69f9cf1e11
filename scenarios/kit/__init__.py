"""What incidents share, each written once: protected resources, locks, workers, and the process that they all live in."""
