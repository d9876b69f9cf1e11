"""A network parts, both sides elect a scheduler, and every job runs twice."""
