"""What a tenant says about detections: lists, fields, thresholds, feedback and test cases."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel


class TrustEpoch(TenantModel):
    """One row a tenant: ``stamp`` changes with every change of a rule, so that processes know what they compiled."""

    stamp = models.UUIDField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant"], name="anonymization_trustepoch_one"),
        ]


class ListKind(models.TextChoices):
    VALUE = "value", "Value"
    REGEX = "regex", "Pattern"
    FIELD = "field", "Field"


class ListEntry(TenantModel):
    """An entry of the allow-list or deny-list. ``dataset_id`` is None where it holds for every dataset.

    ``digest`` is the keyed digest of what was given, so that it is given once. ``sealed`` holds what has to be read to
    be looked for: patterns, and the values of the deny-list. Values of the allow-list are kept as their digest alone.
    """

    LISTS = (("allow", "Allow-list"), ("deny", "Deny-list"))

    list_name = models.CharField(max_length=5, choices=LISTS)
    kind = models.CharField(max_length=5, choices=ListKind.choices)
    dataset_id = models.UUIDField(null=True, default=None)
    entity_type = models.CharField(max_length=64, blank=True, default="")
    field = models.CharField(max_length=500, blank=True, default="")
    normalizer = models.CharField(max_length=16, blank=True, default="")
    digest = models.BinaryField(max_length=32)
    sealed = models.BinaryField(null=True, default=None)
    reason = models.CharField(max_length=1000)
    expires_at = models.DateTimeField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant", "list_name", "kind", "digest", "dataset_id", "entity_type", "field"],
                name="anonymization_listentry_once",
                nulls_distinct=False,
            ),
        ]

    @property
    def resource_type(self) -> str:
        return f"{self.list_name}-list"


class FieldEntry(TenantModel):
    """What a field holds: a type of personal data, always some, or never any."""

    DECISIONS = (("type", "Is of a type"), ("always", "Always personal"), ("never", "Never personal"))

    field = models.CharField(max_length=500)
    decision = models.CharField(max_length=6, choices=DECISIONS)
    entity_type = models.CharField(max_length=64, blank=True, default="")
    dataset_id = models.UUIDField(null=True, default=None)
    reason = models.CharField(max_length=1000)
    expires_at = models.DateTimeField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant", "field", "dataset_id"], name="anonymization_fieldentry_once", nulls_distinct=False
            ),
        ]

    resource_type = "field-rule"


class ThresholdEntry(TenantModel):
    """From which score on findings of a type count."""

    entity_type = models.CharField(max_length=64)
    score = models.FloatField()
    dataset_id = models.UUIDField(null=True, default=None)
    reason = models.CharField(max_length=1000)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant", "entity_type", "dataset_id"],
                name="anonymization_thresholdentry_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0.2) & Q(score__lte=1.0), name="anonymization_thresholdentry_score"
            ),
        ]

    resource_type = "threshold"


class FindingFeedback(TenantModel):
    """What a reader said of a finding, or of one that is missing. ``sealed``: the place and a piece of the text."""

    VERDICTS = (("false_positive", "Not personal data"), ("missed", "Was not found"))
    STATES = (("open", "Open"), ("settled", "Settled"), ("dismissed", "Dismissed"))

    dataset_id = models.UUIDField(null=True, default=None)
    version_id = models.UUIDField(null=True, default=None)
    record_id = models.CharField(max_length=128, blank=True, default="")
    verdict = models.CharField(max_length=14, choices=VERDICTS)
    entity_type = models.CharField(max_length=64)
    recognizer = models.CharField(max_length=128, blank=True, default="")
    score = models.FloatField(null=True, default=None)
    sealed = models.BinaryField()
    comment = models.CharField(max_length=1000, blank=True, default="")
    state = models.CharField(max_length=9, choices=STATES, default="open")
    #: What it was turned into, and the id of that: a rule or a test case.
    settled_as = models.CharField(max_length=10, blank=True, default="")
    settled_id = models.UUIDField(null=True, default=None)
    settled_by = models.UUIDField(null=True, default=None)
    settled_at = models.DateTimeField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "state", "id"], name="anonymization_feedback_state"),
            models.Index(fields=["tenant", "dataset_id", "record_id"], name="anonymization_feedback_record"),
        ]


class DetectionCase(TenantModel):
    """A text with a span that detectors must find, or must leave alone; rerun whenever they change."""

    dataset_id = models.UUIDField(null=True, default=None)
    record_id = models.CharField(max_length=128, blank=True, default="")
    entity_type = models.CharField(max_length=64)
    is_expected = models.BooleanField()
    sealed = models.BinaryField()
    #: How the last run ended, and with which detectors: empty before the first.
    outcome = models.CharField(max_length=7, blank=True, default="")
    detector = models.BinaryField(max_length=64, null=True, default=None)
    checked_at = models.DateTimeField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "dataset_id", "record_id"], name="anonymization_case_record"),
        ]
