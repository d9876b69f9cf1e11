"""Measurements made here and now: what `faultline bench KIND` runs.

Law 1: a kind is one file in `kinds`: its docstring, its `PARAMETERS`, and `measure(tell, **parameters) -> Report`. Nothing lists it.
Law 2: a bench measures the product from outside, as its user gets it; it has no door that a user has not.
Law 3: nothing is left out of a figure: what did not happen in time counts with its deadline, and is counted.
"""
