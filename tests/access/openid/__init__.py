"""Signing in at OpenID providers: a certified one over HTTP, and one that does everything wrong."""
