"""What roles permit: the rules behind ``authorize()``."""
