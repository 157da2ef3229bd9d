"""A search of the audit that somebody wants to find again."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel


class SavedView(TenantModel):
    """``query`` is the query string of the explorer; a shared view is seen by everybody who may read the audit."""

    owner_id = models.UUIDField()
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=4000)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        db_table = "audit_saved_view"
        verbose_name = "saved view"
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "owner_id", "name"], name="audit_saved_view_name"),
        ]

    def __str__(self) -> str:
        return self.name
