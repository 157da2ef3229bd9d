"""Identifiers of people who were erased, as keyed hashes, and where any of them came back."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class SuppressedIdentifier(TenantModel):
    """``key`` is an HMAC under a key of its own: it says neither which identifier nor which entries of the index."""

    key = models.BinaryField(max_length=32)
    #: The erasure of the person.
    erasure = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "key"], name="datasets_suppressed_key"),
        ]

    def __str__(self) -> str:
        return f"identifier suppressed by {self.erasure}"


class ReturnState(models.TextChoices):
    OPEN = "open", "to be looked at"
    DISMISSED = "dismissed", "stays"
    ERASED = "erased", "erased again"


class IdentifierReturn(TenantModel):
    """A record with a suppressed identifier; ``cause`` is what brought it: the kind of version, rescan or restore.

    One that is open or dismissed is not flagged again. ``search`` is the search for the person that was made from it,
    by id; ``ground`` why it stays, said by ``settled_by``.
    """

    suppressed = TenantForeignKey(SuppressedIdentifier, on_delete=models.CASCADE, related_name="returns")
    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    record_id = models.CharField(max_length=128, db_collation="C")
    cause = models.CharField(max_length=12)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=9, choices=ReturnState.choices, default=ReturnState.OPEN, db_default="open")
    search = models.UUIDField(null=True, default=None)
    ground = models.CharField(max_length=1000, blank=True, default="", db_default="")
    settled_by = models.UUIDField(null=True, default=None)
    settled_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_return_key_fk", field="suppressed", to="datasets.SuppressedIdentifier"),
            CompositeForeignKey(name="datasets_return_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(
                fields=["tenant", "suppressed", "dataset", "record_id"],
                name="datasets_return_once",
                condition=models.Q(state__in=("open", "dismissed")),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="datasets_return_state")]

    def __str__(self) -> str:
        return f"return by {self.cause}"
