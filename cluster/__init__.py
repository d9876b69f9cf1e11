"""The cluster: protocol cores, the processes that run them, and the supervisor that breaks them."""

# First of all: what is imported below this package may be compiled.
from cluster import native as native

__version__ = "0.1.0"
