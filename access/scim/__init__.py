"""SCIM 2.0 (RFC 7643 and 7644): what a directory may read and say, as the vault understands it."""
