"""Pure mechanism under every app: no tables, no app configuration."""
