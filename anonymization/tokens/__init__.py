"""Tokens: stand-ins for values, which the token vault alone can turn back."""
