"""Tenancy: the scope, the tables under row-level security, and the keys between them."""
