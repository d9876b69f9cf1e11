"""Golden screens: what the dashboard shows of one recording of a real cluster, as text, at every size.

`drill.flt` is a recording of five nodes, made by
    faultline live --headless -n 5 --for 10s --rate 30 --record drill.flt --script drill.txt
The screens are made by `python -m tests.tui.golden` (from the checkout, with the development packages). Look at what changed
(`git diff tests/tui/golden`) before it is committed: a golden file is a promise, not an output.

Law 1: the clock is the recording's; nothing here waits, and nothing comes from the machine.
"""
