"""Exports: a version, as one reader may see it, written to sealed files and handed out again."""
