"""Readers of uploaded files: streaming, strict, and exact about the line where something is wrong."""
