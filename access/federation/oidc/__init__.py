"""OpenID Connect: the vault as a relying party, on mozilla-django-oidc."""
