"""Schemas of records, without tables: compiling, the shorthand, compatibility and annotations of fields."""
