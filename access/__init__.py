"""Access: tenants, the people and services in them, what they may do, and the keys they do it with."""
