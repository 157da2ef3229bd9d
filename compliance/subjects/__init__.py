"""Search for a person over everything stored, and their erasure from it."""
