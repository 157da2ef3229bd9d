"""Legal holds: placed by one person at once, confirmed by a second, and released by two."""
