"""Screens of the audit inside the admin."""
