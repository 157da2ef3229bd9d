"""What a hold keeps of the audit: all of it, for it says who did what with the data."""

from uuid import UUID

from compliance.models import LegalHold


def keeps_audit(tenant_id: UUID) -> bool:
    """Whether the organization has a hold in force; asked by maintenance as the owner, in no scope."""
    return LegalHold.objects.using("owner").filter(tenant_id=tenant_id, released_at=None).exists()
