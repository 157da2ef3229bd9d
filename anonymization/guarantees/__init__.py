"""Formal guarantees for tables: k-anonymity, l-diversity and t-closeness, counted per data subject."""
