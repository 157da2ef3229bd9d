"""Errors of compliance: VAULT_COMP_8xxx; a file for each part."""
