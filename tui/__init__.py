"""The terminal: command line, dashboard and replay."""
