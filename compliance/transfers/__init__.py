"""Transfers: what left the region of its dataset, to whom, and what covered it."""
