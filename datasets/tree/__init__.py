"""The record tree: an immutable, content-addressed search tree whose leaves are records.

docs/reference/tree-format.md gives every byte of it.
"""
