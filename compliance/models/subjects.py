"""Searches for a person over everything stored, what they found, and the erasure of it."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class SubjectStore(models.TextChoices):
    """Where something of a person may lie."""

    RECORD = "record", "records of versions"
    DRAFT = "draft", "drafts"
    QUARANTINE = "quarantine", "quarantined records"
    RESOLUTION = "resolution", "records put into conflicts"
    FEEDBACK = "feedback", "feedback on findings"
    REJECTS = "rejects", "reports of rejected lines"
    UPLOAD = "upload", "uploads under way"
    TOKEN = "token", "tokens"
    TEXT = "text", "names, tags, descriptions and messages"
    REQUEST = "request", "files of requests"


class MatchReason(models.TextChoices):
    """Why something is taken for the person's; the first five prove it, the others are a person's to judge.

    What was entered by hand has been judged already.
    """

    INDEX = "index", "in the subject index"
    EXACT = "exact", "the identifier as given"
    NORMALIZED = "normalized", "the identifier in another spelling"
    ENCODED = "encoded", "the identifier encoded"
    TOKENIZED = "tokenized", "a token of the identifier"
    NATIONAL = "national", "a number without its country"
    NAME = "name", "the name"
    NAME_VARIANT = "name_variant", "the name in another order or spelling"
    INITIALS = "initials", "the name with an initial"
    ENTERED = "entered", "entered by hand"


class MatchState(models.TextChoices):
    PENDING = "pending", "to be decided"
    ACCEPTED = "accepted", "the person's"
    REJECTED = "rejected", "somebody else's"


class SubjectSearch(LongRunning):
    """A search for one person: the index first, then every store read to its end.

    ``identifiers`` is sealed and gone after ``forget_at``, or when its erasure ends; ``identifier_types`` says what
    kinds were given, in their order. ``case`` is what asked for it, by id. ``counts`` has the matches by store,
    ``swept`` the bytes looked at by store; ``unreadable`` counts what could not be opened.
    """

    task_name = "compliance.run_subject_search"

    identifiers = models.BinaryField(null=True)
    identifier_types = models.JSONField(default=list)
    case = models.UUIDField(null=True, default=None)
    purpose = models.CharField(max_length=64, blank=True, default="")
    counts = models.JSONField(default=dict)
    swept = models.JSONField(default=dict)
    dataset_count = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    is_truncated = models.BooleanField(default=False)
    forget_at = models.DateTimeField()

    class Meta(LongRunning.Meta):
        constraints = [*tenant_constraints(system=("SELECT", "UPDATE"))]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="compliance_search_newest"),
            models.Index(fields=["status", "lease_until"], name="compliance_search_lease"),
            models.Index(fields=["forget_at"], name="compliance_search_forget"),
            models.Index(
                fields=["tenant", "case", "-id"],
                name="compliance_search_case",
                condition=models.Q(case__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"search for a person {self.id}"


class SubjectMatch(TenantModel):
    """One place that may hold something of the person: never what it holds.

    ``object_id`` is what it was found in: the dataset of a record, or the draft, upload, report, request or row. Of the
    file of a request ``record_id`` names the letter or the correction. ``identifier``
    is the number of the identifier that matched, None for what was entered by hand; ``reason`` is the best of what
    speaks for it, by its ``score``.
    """

    search = TenantForeignKey(SubjectSearch, on_delete=models.CASCADE, related_name="matches")
    store = models.CharField(max_length=10, choices=SubjectStore.choices)
    dataset_id = models.UUIDField(null=True, default=None)
    object_id = models.UUIDField()
    place = models.CharField(max_length=64, blank=True, default="")
    record_id = models.CharField(max_length=128, blank=True, default="", db_collation="C")
    identifier = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=12, choices=MatchReason.choices)
    score = models.FloatField()
    state = models.CharField(max_length=8, choices=MatchState.choices, default=MatchState.PENDING)
    decided_by = models.UUIDField(null=True, default=None)
    decided_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="compliance_match_search_fk", field="search", to="compliance.SubjectSearch"),
            models.UniqueConstraint(
                fields=["tenant", "search", "store", "object_id", "place", "record_id"],
                name="compliance_match_once",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "search", "state", "id"], name="compliance_match_state")]

    def __str__(self) -> str:
        return f"{self.reason} in {self.store}"


class LegalBasis(models.TextChoices):
    """On which ground of Article 17(1) GDPR, or which other law, somebody is erased."""

    NO_LONGER_NECESSARY = "art17-1-a", "no longer necessary (GDPR Art. 17(1)(a))"
    CONSENT_WITHDRAWN = "art17-1-b", "consent withdrawn (GDPR Art. 17(1)(b))"
    OBJECTION = "art17-1-c", "objection (GDPR Art. 17(1)(c))"
    UNLAWFUL = "art17-1-d", "processed unlawfully (GDPR Art. 17(1)(d))"
    LEGAL_OBLIGATION = "art17-1-e", "a law asks for it (GDPR Art. 17(1)(e))"
    CHILD = "art17-1-f", "collected from a child (GDPR Art. 17(1)(f))"
    CCPA = "ccpa-1798-105", "request to delete (CCPA 1798.105)"
    OTHER = "other", "another law"


class SubjectErasure(LongRunning):
    """The erasure of what a search found of a person, over every store.

    ``counts`` has what was erased by store, ``remaining`` what a second look still found, ``receipt`` the sealed signed
    receipt and ``manifest`` the sealed list for who trains models; ``receipt_sha256`` is that of the signed text.
    """

    task_name = "compliance.run_subject_erasure"

    search = TenantForeignKey(SubjectSearch, on_delete=models.PROTECT, related_name="erasures")
    case = models.UUIDField(null=True, default=None)
    legal_basis = models.CharField(max_length=16, choices=LegalBasis.choices)
    purpose = models.CharField(max_length=64, blank=True, default="")
    counts = models.JSONField(default=dict)
    remaining = models.JSONField(default=dict)
    receipt = models.BinaryField(null=True)
    manifest = models.BinaryField(null=True)
    receipt_sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="compliance_erasure_search_fk", field="search", to="compliance.SubjectSearch"),
            models.UniqueConstraint(
                fields=["tenant", "search"],
                name="compliance_erasure_once",
                condition=~models.Q(status__in=("failed", "cancelled")),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="compliance_erasure_newest"),
            models.Index(fields=["status", "lease_until"], name="compliance_erasure_lease"),
        ]

    def __str__(self) -> str:
        return f"erasure of a person {self.id}"


class PartState(models.TextChoices):
    WAITING = "waiting", "to be started"
    RUNNING = "running", "under way"
    ERASED = "erased", "erased"
    REFUSED = "refused", "may not be erased"


class SubjectErasurePart(TenantModel):
    """The records of one dataset that go together: its erasure there, or why they may not go.

    ``conflict`` is the code of the error that stood against it, ``basis`` the ground on which it does.
    """

    erasure = TenantForeignKey(SubjectErasure, on_delete=models.CASCADE, related_name="parts")
    dataset_id = models.UUIDField()
    number = models.PositiveIntegerField()
    record_ids = models.JSONField(default=list)
    record_erasure = models.UUIDField(null=True, default=None)
    state = models.CharField(max_length=7, choices=PartState.choices, default=PartState.WAITING)
    conflict = models.CharField(max_length=20, blank=True, default="")
    basis = models.CharField(max_length=200, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="compliance_part_erasure_fk", field="erasure", to="compliance.SubjectErasure"),
            models.UniqueConstraint(fields=["tenant", "erasure", "dataset_id", "number"], name="compliance_part_once"),
        ]

    def __str__(self) -> str:
        return f"{len(self.record_ids)} records, {self.state}"


class RecipientTask(TenantModel):
    """Somebody took data of an erased person out of the vault and has to be told (GDPR Art. 19).

    ``recipient`` is the principal that downloaded, ``exports`` the ids of what. ``proof`` says how they were told.
    """

    erasure = TenantForeignKey(SubjectErasure, on_delete=models.CASCADE, related_name="recipient_tasks")
    dataset_id = models.UUIDField()
    recipient = models.UUIDField()
    exports = models.JSONField(default=list)
    downloaded_at = models.DateTimeField()
    proof = models.CharField(max_length=1000, blank=True, default="")
    told_by = models.UUIDField(null=True, default=None)
    told_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="compliance_recipient_erasure", field="erasure", to="compliance.SubjectErasure"),
            models.UniqueConstraint(
                fields=["tenant", "erasure", "dataset_id", "recipient"], name="compliance_recipient_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "id"], name="compliance_recipient_open", condition=models.Q(told_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"recipient {self.recipient}"
