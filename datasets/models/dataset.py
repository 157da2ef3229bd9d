"""A dataset: the container of versions, and the invariants that travel with its data."""

from collections.abc import Sequence
from typing import Final

from django.apps import apps
from django.db import models
from django.db.models.functions import Now

from access.policy.cedar.rows import Columns
from access.services.authorize import may
from access.services.visibility import datasets_allowed
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.principal import Principal


class Classification(models.TextChoices):
    PUBLIC = "public", "public"
    INTERNAL = "internal", "internal"
    CONFIDENTIAL = "confidential", "confidential"
    PII = "pii", "personal data"
    RESTRICTED = "restricted", "restricted"


class NamedBy(models.TextChoices):
    """How records name the people whose consent they need, for access policies; see ConsentLink."""

    DECLARED = "declared", "the field that is declared"
    INDEXED = "indexed", "whoever the subject index finds"
    LENIENT = "lenient", "either, and records that name nobody are released"


def _named_by(wanted: Sequence[str]) -> models.Q:
    links = apps.get_model("datasets", "ConsentLink").objects
    lenient = models.Q(pk__in=links.filter(releases_unlinked=True).values("dataset_id"))
    declared = models.Q(pk__in=links.filter(releases_unlinked=False).exclude(subject="").values("dataset_id"))
    ways = {NamedBy.LENIENT: lenient, NamedBy.DECLARED: declared, NamedBy.INDEXED: ~lenient & ~declared}
    found = models.Q(pk__in=[])
    for way, rows in ways.items():
        if way in wanted:
            found |= rows
    return found


def _tagged(tag: str) -> models.Q:
    return models.Q(pk__in=DatasetTag.objects.filter(tag=tag).values("dataset_id"))


#: Where access policies find what they ask of a dataset.
COLUMNS: Final = Columns(
    fields={"id": "pk", "classification": "classification", "owner": "created_by", "residency": "region"},
    may_lack=frozenset({"residency"}),
    tagged=_tagged,
    beside={"consent": _named_by},
)


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, principal: Principal) -> "DatasetQuerySet":
        """The datasets whose existence ``principal`` may know; lists and single reads both start here.

        By a role, a lease, a standing permission or an access policy, and none that a policy forbids; one query.
        """
        return self.filter(datasets_allowed(principal, "dataset.read", COLUMNS), deleted_at=None)

    def deleted_to(self, principal: Principal) -> "DatasetQuerySet":
        """The deleted datasets that ``principal`` may restore; for everybody else they do not exist."""
        known = self if may(principal, "dataset.restore") else self.none()
        return known.filter(deleted_at__isnull=False, purged_at=None)


class Dataset(TenantModel):
    """Named data under one set of keys.

    ``legal_hold`` and ``delete_after`` are enforced by whatever deletes; ``erasure_epoch`` rises with every erasure, so
    that a commit in flight notices; ``has_canaries`` tells readers to look for them. Until ``keep_until`` nothing may
    delete it, for the reason in ``keep_basis`` (datasets/services/keeping.py). An archived one (``archived_at``)
    is only read. A deleted one (``deleted_at``) can be restored until ``delete_after`` and keeps its name; a purged one
    (``purged_at``) has lost its keys and its name, and its rows are on their way out.
    """

    name = models.CharField(max_length=200, db_collation="C")
    description = models.TextField(blank=True, default="", max_length=4000)
    classification = models.CharField(
        max_length=12, choices=Classification.choices, default=Classification.CONFIDENTIAL
    )
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    region = models.CharField(max_length=64, blank=True, default="")
    legal_hold = models.BooleanField(default=False, editable=False)
    delete_after = models.DateTimeField(null=True, editable=False)
    keep_until = models.DateTimeField(null=True, default=None, editable=False)
    keep_basis = models.CharField(max_length=500, blank=True, default="", db_default="", editable=False)
    archived_at = models.DateTimeField(null=True, default=None, editable=False)
    deleted_at = models.DateTimeField(null=True, default=None, editable=False)
    purged_at = models.DateTimeField(null=True, default=None, editable=False)
    erasure_epoch = models.PositiveIntegerField(default=0, editable=False)
    has_canaries = models.BooleanField(default=False, db_default=False, editable=False)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DatasetQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "name"], name="datasets_dataset_name"),
        ]
        indexes = [models.Index(fields=["tenant", "created_at", "id"], name="datasets_dataset_created")]
        #: What may be given on one dataset, beside Django's ``view_dataset`` and ``change_dataset``.
        permissions = [
            ("read_raw", "Can read its records raw"),
            ("read_masked", "Can read its records masked"),
            ("read_redacted", "Can read its records redacted"),
            ("write_records", "Can write its records"),
            ("query_statistics", "Can ask for statistics over its records"),
        ]
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def tag_names(self) -> list[str]:
        return sorted(tag.tag for tag in self.tags.all())


class DatasetTag(TenantModel):
    """One tag of one dataset: a row, because JSON indexes do not serve under row-level security."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=64, db_collation="C")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_tag_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "tag"], name="datasets_tag_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "tag", "dataset"], name="datasets_tag_lookup")]
