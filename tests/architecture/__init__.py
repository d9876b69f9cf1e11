"""House style as tests: each check is a function from source to findings, and each is shown to fail on a planted case."""
