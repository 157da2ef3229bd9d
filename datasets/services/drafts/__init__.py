"""Drafts: opened over a version, filled with staged records, read, published, discarded, expired."""
