"""Every monitor stays green on a correct stream and goes red on a planted fault."""
