"""Screens of access: plain views inside the admin."""
