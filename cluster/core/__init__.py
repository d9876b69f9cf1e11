"""Pure protocol machines.

Law 1: no clock, socket, disk, log call, global randomness or asyncio anywhere below this package.
Law 2: time is an argument (`now`, integer microseconds) and so is randomness (`dice`).
Law 3: a machine returns work; a runtime does it.
"""
