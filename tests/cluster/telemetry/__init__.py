"""Folds and reports over events written by hand."""
