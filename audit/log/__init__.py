"""The audit's Merkle log: what makes the record of events evidence."""
