"""Measurements of the vault against what the same work costs without it: ``python -m tests.benchmarks``."""
