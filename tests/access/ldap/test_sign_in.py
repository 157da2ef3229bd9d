"""People of a directory sign in with the vault's own form."""
