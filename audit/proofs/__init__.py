"""Proofs of the audit: what an outsider can check, and what the vault checks of itself."""
