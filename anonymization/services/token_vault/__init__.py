"""The token vault: spaces and their keys, issuing, revealing, upkeep."""
