"""SAML 2.0: the vault as a service provider of organizations that have an identity provider."""
