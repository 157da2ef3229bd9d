"""Merges of one line of history into another, their conflicts, and the requests under which others review them."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class MergeStrategy(models.TextChoices):
    """Who is right where both sides changed one member differently."""

    MANUAL = "manual", "list conflicts"
    OURS = "ours", "keep the target's"
    THEIRS = "theirs", "take the source's"


class MergeOutcome(models.TextChoices):
    NONE = "", "not yet known"
    MERGED = "merged", "merged"
    FAST_FORWARD = "fast_forward", "branch moved forward"
    UNCHANGED = "unchanged", "nothing to merge"
    CONFLICTED = "conflicted", "conflicts to resolve"


class RequestState(models.TextChoices):
    OPEN = "open", "open"
    MERGED = "merged", "merged"
    CLOSED = "closed", "closed"


class Verdict(models.TextChoices):
    APPROVE = "approve", "approve"
    REQUEST_CHANGES = "request_changes", "request changes"


class MergeRequest(TenantModel):
    """The wish to merge one branch into another, to be approved by somebody who wrote none of it."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="merge_requests")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="", max_length=4000)
    source = models.CharField(max_length=100, db_collation="C")
    target = models.CharField(max_length=100, db_collation="C")
    author = models.UUIDField()
    state = models.CharField(max_length=6, choices=RequestState.choices, default=RequestState.OPEN)
    version = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_by = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_mergerequest_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_mergerequest_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [models.Index(fields=["tenant", "dataset", "state", "id"], name="datasets_mergerequest_state")]

    def __str__(self) -> str:
        return self.title


class MergeReview(TenantModel):
    """What somebody thinks of a merge request as its source stood: ``head`` is the version id they looked at."""

    request = TenantForeignKey(MergeRequest, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.UUIDField()
    verdict = models.CharField(max_length=15, choices=Verdict.choices)
    comment = models.TextField(blank=True, default="", max_length=4000)
    head = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_mergereview_request_fk", field="request", to="datasets.MergeRequest"),
        ]
        indexes = [models.Index(fields=["tenant", "request", "id"], name="datasets_mergereview_request")]

    def __str__(self) -> str:
        return f"{self.verdict} of {self.request_id}"


class Merge(LongRunning):
    """One merge of the version ``source`` into the branch ``target``.

    ``ours`` is the target's head the merge was last worked out against, ``base`` where the two lines parted. A merge
    that ends conflicted keeps its sealed seed: it goes on once the conflicts are resolved.
    """

    task_name = "datasets.run_merge"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="merges")
    request = TenantForeignKey(MergeRequest, on_delete=models.SET_NULL, null=True, related_name="merges")
    source_name = models.CharField(max_length=128, db_collation="C")
    source = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    target = models.CharField(max_length=100, db_collation="C")
    strategy = models.CharField(max_length=6, choices=MergeStrategy.choices, default=MergeStrategy.MANUAL)
    outcome = models.CharField(max_length=12, choices=MergeOutcome.choices, blank=True, default="")
    ours = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    base = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    version = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    #: The target may not move between the request and the commit.
    is_pinned = models.BooleanField(default=False)
    message = models.CharField(max_length=1000, blank=True, default="")
    label = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    purpose = models.CharField(max_length=64, blank=True, default="")
    seed = models.BinaryField(null=True)
    #: Counts of what was taken, merged, resolved and erased, and the ids of the erased.
    result = models.JSONField(default=dict)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_merge_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_merge_request_fk", field="request", to="datasets.MergeRequest"),
            CompositeForeignKey(name="datasets_merge_source_fk", field="source", to="datasets.Version"),
            CompositeForeignKey(name="datasets_merge_ours_fk", field="ours", to="datasets.Version"),
            CompositeForeignKey(name="datasets_merge_base_fk", field="base", to="datasets.Version"),
            CompositeForeignKey(name="datasets_merge_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "id"], name="datasets_merge_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_merge_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.source_name} into {self.target}"

    @property
    def state(self) -> str:
        """How it stands, in one word: the job's status, and once that succeeded, what came of it."""
        return self.outcome if self.status == JobStatus.SUCCEEDED else self.status

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has to resolve conflicts."""
        return self.state == MergeOutcome.CONFLICTED


class ConflictKind(models.TextChoices):
    MEMBERS = "members", "both sides changed one member"
    DELETED_BY_OURS = "deleted_ours", "the target deleted what the source changed"
    DELETED_BY_THEIRS = "deleted_theirs", "the source deleted what the target changed"
    REFUSED = "refused", "the merged record may not be stored"


class Resolution(models.TextChoices):
    NONE = "", "unresolved"
    OURS = "ours", "the target's record"
    THEIRS = "theirs", "the source's record"
    BASE = "base", "the record before both"
    RECORD = "record", "a record of its own"


class MergeConflict(TenantModel):
    """One record that a merge cannot decide on.

    The sides are read from their versions; ``sides`` is one digest over their leaves, so that a resolution holds only
    for what its author saw. A record given as resolution is sealed under the dataset's key, opened by ``secret``.
    """

    merge = TenantForeignKey(Merge, on_delete=models.CASCADE, related_name="conflicts")
    record_id = models.CharField(max_length=128, db_collation="C")
    kind = models.CharField(max_length=14, choices=ConflictKind.choices)
    sides = models.BinaryField(max_length=32)
    resolution = models.CharField(max_length=6, choices=Resolution.choices, blank=True, default="")
    record = models.BinaryField(null=True)
    secret = models.BinaryField(max_length=32, null=True)
    resolved_by = models.UUIDField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_mergeconflict_merge_fk", field="merge", to="datasets.Merge"),
            models.UniqueConstraint(fields=["tenant", "merge", "record_id"], name="datasets_mergeconflict_record"),
        ]

    def __str__(self) -> str:
        return self.record_id
