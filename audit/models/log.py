"""The Merkle log of a tenant's events, insert-only: leaves, full tiles, signed checkpoints and who else holds them."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id


class AuditLeaf(TenantModel):
    """The place of one event in its tenant's log: ``seq`` counts from 0 without a gap.

    ``leaf`` is SHA-256(0x00 || body of the event), 32 bytes. Leaves are never deleted: a month of events that is
    dropped keeps its leaves, so that proofs of what remains still verify. vault_system seals, everybody else reads.
    """

    id = None  # type: ignore[assignment] # half the size of the table: the place names the row
    pk = models.CompositePrimaryKey("tenant_id", "seq")
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )
    seq = models.BigIntegerField()
    event_id = models.UUIDField()
    #: Names the partition of the event, so that finding it costs one index probe.
    event_time = models.DateTimeField()
    leaf = models.BinaryField()

    class Meta(TenantModel.Meta):
        db_table = "audit_leaf"
        verbose_name = "audit leaf"
        verbose_name_plural = "audit leaves"
        constraints = [
            RowLevelSecurity(name="audit_leaf_rls", grants=("SELECT",), system=("SELECT", "INSERT")),
            models.UniqueConstraint(fields=["tenant", "event_id"], name="audit_leaf_event"),
        ]

    def __str__(self) -> str:
        return f"leaf {self.seq}"


class AuditTile(TenantModel):
    """256 neighbouring hashes of one level of the tree, in the layout of C2SP tlog-tiles; only full tiles are kept.

    Tile ``index`` of level 0 has the leaf hashes 256 * index to 256 * index + 255; one of level n the roots of 256
    neighbouring tiles of level n - 1. ``hashes`` is 256 * 32 bytes, ``root`` the root of the subtree over them.
    """

    id = None  # type: ignore[assignment]
    pk = models.CompositePrimaryKey("tenant_id", "level", "index")
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()
    root = models.BinaryField()

    class Meta(TenantModel.Meta):
        db_table = "audit_tile"
        verbose_name = "audit tile"
        constraints = [RowLevelSecurity(name="audit_tile_rls", grants=("SELECT",), system=("SELECT", "INSERT"))]

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class AuditCheckpoint(TenantModel):
    """A signed statement of how long the log is and which root it has (C2SP tlog-checkpoint); one a size.

    ``note`` is the signed note as UTF-8 text, ``verifiers`` the public keys it is signed with, one C2SP verifier key a
    line. ``time`` is when it was signed, by the database's clock; the note itself has none.
    """

    size = models.BigIntegerField()
    root = models.BinaryField()
    time = models.DateTimeField(db_default=Now())
    note = models.TextField()
    verifiers = models.TextField()

    class Meta(TenantModel.Meta):
        db_table = "audit_checkpoint"
        verbose_name = "audit checkpoint"
        ordering = ["-size"]
        constraints = [
            *tenant_constraints(grants=("SELECT",), system=("SELECT", "INSERT")),
            models.UniqueConstraint(fields=["tenant", "size"], name="audit_checkpoint_size"),
        ]

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class WitnessReceipt(TenantModel):
    """One checkpoint as one witness outside the database took it.

    ``witness`` is the witness's name in the configuration, ``place`` where it keeps the note, ``locked_until`` how long
    nobody can change it there (null: the witness has no lock).
    """

    checkpoint = TenantForeignKey("audit.AuditCheckpoint", models.PROTECT)
    witness = models.TextField()
    place = models.TextField()
    held_at = models.DateTimeField(db_default=Now())
    locked_until = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "audit_witness_receipt"
        verbose_name = "witness receipt"
        constraints = [
            *tenant_constraints(grants=("SELECT",), system=("SELECT", "INSERT")),
            CompositeForeignKey(
                name="audit_witness_receipt_checkpoint", field="checkpoint", to="audit.AuditCheckpoint"
            ),
            models.UniqueConstraint(fields=["tenant", "checkpoint", "witness"], name="audit_witness_receipt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.witness} holds a checkpoint"
