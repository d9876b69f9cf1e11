"""Sketches: answers about many things in little memory, with an error that has a formula, and a size that the formula asks for."""
