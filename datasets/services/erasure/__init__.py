"""Erasure of records by id, in the order of its steps: request, sweep, settle, receipt; and what keeps it that way."""
