"""The REST API of access."""
