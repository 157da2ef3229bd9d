"""Queries over records, without tables: filters in two syntaxes, their evaluation and pruning, and aggregates."""

from datasets.query.filter import Filter, parse_expression, parse_filter

__all__ = ["Filter", "parse_expression", "parse_filter"]
