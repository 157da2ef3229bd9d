"""Models a user brings: each adapter needs its own package, which the vault does not install."""
