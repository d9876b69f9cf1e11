"""The cluster: protocol cores, the processes that run them, and the supervisor that breaks them."""

__version__ = "0.1.0"
