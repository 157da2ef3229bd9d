"""Django's backend for PostgreSQL, with pools that get over a restart of the server."""
