"""What changes the state of the audit: recording, relaying, partitioning."""
