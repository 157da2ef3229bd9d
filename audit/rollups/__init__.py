"""Counts of the audit's events, kept by the sealer, so that nobody has to scan for them."""
