"""How often a principal, a credential or an address may ask."""
