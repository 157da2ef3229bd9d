"""Decisions in Cedar: the schema, statements, slices and the evaluation. Pure: asks no database."""
