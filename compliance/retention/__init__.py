"""Retention: policies that say how long data is kept and what becomes of it, and runs that do it."""
