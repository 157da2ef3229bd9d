"""Where data came from and what was made of it: typed edges between versions, exports and things outside."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class NodeType(models.TextChoices):
    """What a lineage node stands for. The first two are the vault's own; the others are named by who reports them."""

    VERSION = "version", "version"
    EXPORT = "export", "export"
    TRANSFORMATION = "transformation", "transformation"
    SOURCE = "source", "external data"
    MODEL = "model", "model"
    RUN = "run", "training run"


class EdgeKind(models.TextChoices):
    """How the target of an edge came from its source."""

    DERIVED_FROM = "derived_from", "derived from"
    COPIED_FROM = "copied_from", "copied from"
    TRANSFORMED_BY = "transformed_by", "transformed by"
    MERGED_FROM = "merged_from", "merged from"
    ANONYMIZED_FROM = "anonymized_from", "anonymized from"
    SAMPLED_FROM = "sampled_from", "sampled from"
    FILTERED_FROM = "filtered_from", "filtered from"
    TRAINED = "trained", "trained"


class LineageNode(TenantModel):
    """One thing in the lineage.

    A node of the vault's own is identified by ``object_id`` and belongs to ``dataset_id``, which is no foreign key:
    that something was made of a dataset is still true after the dataset is gone. A thing outside is identified by
    ``namespace`` and ``name``, as OpenLineage does.
    """

    type = models.CharField(max_length=14, choices=NodeType.choices)
    object_id = models.UUIDField(null=True)
    dataset_id = models.UUIDField(null=True)
    namespace = models.CharField(max_length=200, blank=True, default="", db_collation="C")
    name = models.CharField(max_length=200, db_collation="C")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        db_table = "lineage_nodes"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            models.UniqueConstraint(
                fields=["tenant", "type", "object_id"], condition=Q(object_id__isnull=False), name="lineage_node_object"
            ),
            models.UniqueConstraint(
                fields=["tenant", "type", "namespace", "name"],
                condition=Q(object_id__isnull=True),
                name="lineage_node_external",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "dataset_id"], name="lineage_node_dataset")]

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name}" if self.namespace else self.name


class LineageEdge(TenantModel):
    """``target`` came from ``source`` in the way ``kind`` says; together the edges have no cycle.

    ``facts`` are counts, labels and ids, never a value of a record. ``reported_by`` is who said so; null: the vault saw
    it itself.
    """

    kind = models.CharField(max_length=16, choices=EdgeKind.choices)
    source = TenantForeignKey(LineageNode, on_delete=models.PROTECT, related_name="outgoing")
    target = TenantForeignKey(LineageNode, on_delete=models.PROTECT, related_name="incoming")
    facts = models.JSONField(default=dict)
    reported_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        db_table = "lineage_edges"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="lineage_edge_source_fk", field="source", to="datasets.LineageNode"),
            CompositeForeignKey(name="lineage_edge_target_fk", field="target", to="datasets.LineageNode"),
            models.UniqueConstraint(fields=["tenant", "source", "target", "kind"], name="lineage_edge_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "target"], name="lineage_edge_target")]


class DatasetUse(TenantModel):
    """When records of a dataset were last read for a purpose; kept to the minute."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    purpose = models.CharField(max_length=64, db_collation="C")
    first_read_at = models.DateTimeField(db_default=Now(), editable=False)
    last_read_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_use_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "purpose"], name="datasets_use_purpose"),
        ]
