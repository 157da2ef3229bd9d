"""Requests of data subjects: taken in, verified, answered in time."""
