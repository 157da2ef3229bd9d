"""What changes the state of access: tenants, people, credentials, decisions and keys."""
