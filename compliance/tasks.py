"""The background work of compliance."""
