"""What happened in the vault: the append-only record of events, and its way out to those who watch."""
