"""The probes: one module each, with the function ``probe`` that tries one defence in a tenant."""
