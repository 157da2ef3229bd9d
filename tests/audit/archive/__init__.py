"""Months of the audit that were moved into the archive."""
