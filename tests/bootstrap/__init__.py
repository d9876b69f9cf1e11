"""The start script and the builder of its environment, tried without a network."""
