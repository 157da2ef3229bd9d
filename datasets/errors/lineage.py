"""Lineage: 4461 to 4479."""

from vaultsite.kernel.errors import VaultError


class LineageCycle(VaultError):
    """Nothing can come from what was made of it."""

    code, slug, status = "VAULT_DATA_4461", "lineage-cycle", 409
    title = "This edge would close a cycle"


class NoLineagePath(VaultError):
    code, slug, status = "VAULT_DATA_4462", "no-lineage-path", 404
    title = "No path leads from one to the other"


class InvalidOpenLineageEvent(VaultError):
    code, slug, status = "VAULT_DATA_4463", "invalid-openlineage-event", 400
    title = "This is no OpenLineage run event"
