"""REST of the anonymization app."""
