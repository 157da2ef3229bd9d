"""The usual forms of data for language models, one module a shape."""
