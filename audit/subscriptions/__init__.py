"""Event subscriptions: who wants to be told of which events, where, and in which shape."""
