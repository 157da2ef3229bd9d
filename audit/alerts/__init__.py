"""Conditions that somebody has to look at: one open alert for each cause."""
