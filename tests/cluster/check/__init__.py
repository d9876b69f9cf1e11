"""The judges, each shown right and each shown wrong histories."""
