"""The relay: what brings events out of the vault, as a process of its own."""
