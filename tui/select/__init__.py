"""Panes as pure functions: `rows(view, ui, width, height) -> list[Row]`.

Law 1: what is shown depends on the view and on the person's choices, on nothing else: no clock, no dice, no memory, no Textual.
Law 2: at most `height` rows, none wider than `width` cells; a pane that wants more room than it gets shows less, and says so.
Law 3: truth (the supervisor's) and belief (the nodes') stand beside each other and are never mixed.

`glyphs` holds the alphabet, `spans` the setting of rows, `standing` and `sides` the arithmetic of who reaches whom.
"""
