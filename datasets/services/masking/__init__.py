"""Anonymizing a dataset in place: what was found is replaced by its kind, and what was there before is erased."""
