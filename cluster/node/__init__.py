"""One cluster node as an operating-system process."""
