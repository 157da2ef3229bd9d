"""Sign-in with the accounts of an LDAP directory or Active Directory. Needs the extra ``ldap``."""
