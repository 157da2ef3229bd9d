"""Second factors: one-time codes, security keys and recovery codes, as far as they need no database."""
