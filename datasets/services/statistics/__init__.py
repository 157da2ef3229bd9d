"""Statistics about the people of a version under differential privacy."""
