"""The command line, without processes: what it offers, plays, writes and says."""
