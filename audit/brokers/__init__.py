"""Message brokers behind one port: one file a provider."""
