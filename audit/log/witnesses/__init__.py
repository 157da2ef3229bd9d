"""Witnesses of the log: places outside the database that hold its checkpoints."""
