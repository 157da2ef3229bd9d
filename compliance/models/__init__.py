"""The tables of compliance."""
