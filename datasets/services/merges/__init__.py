"""Merging: one line of a dataset's versions into a branch, by hand where both sides changed the same."""
