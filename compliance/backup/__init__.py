"""Backups: a sealed repository of dumps and objects, and the journal of what must stay erased after a restore."""
