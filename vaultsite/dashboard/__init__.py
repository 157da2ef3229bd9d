"""The home page of the admin: what waits for somebody, and what happened in the vault, a piece at a time."""
