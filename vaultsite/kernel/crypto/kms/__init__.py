"""Key management systems: one port, one file a provider."""
