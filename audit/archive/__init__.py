"""Months of events that no longer lie in the database: sealed objects that hold exactly what the leaves are made of."""
