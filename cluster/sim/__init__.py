"""The simulator: the very cluster that processes run, in virtual time, on one thread, decided by one seed.

Law 1: the same setup gives the same trace, byte for byte, on any machine, whatever the hash seed.
Law 2: what runs here is `Replica.handle`, the write-ahead log's own bytes, the fault plan and the monitors of a real lab; only clock,
       network, disks and clients are made of numbers.
Law 3: every kind of thing that can happen has its own stream of dice: to leave one fault out does not shuffle the others.

`run(setup) -> Outcome` plays one seed. `shrink(outcome)` looks for the smallest setup that fails alike.
"""
