"""People who prove who they are elsewhere: at an identity provider of their organization."""
