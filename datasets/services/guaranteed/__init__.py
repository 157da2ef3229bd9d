"""Exports under a guarantee: read, generalize, write, read again and check, and only then release."""
