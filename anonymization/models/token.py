"""The token vault: scopes, generations of their keys, tokens, and who used them how often."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class TokenSpace(TenantModel):
    """One scope of tokens. ``dataset_id`` is None, and ``purpose`` empty, where the scope is not narrowed by it.

    Tokens made before ``expired_before`` have expired. ``frequent_reason`` is why a steward lets one value have more
    than a hundredth of all occurrences.
    """

    dataset_id = models.UUIDField(null=True, default=None)
    purpose = models.CharField(max_length=63, blank=True, default="")
    expired_before = models.DateTimeField(null=True, default=None)
    frequent_reason = models.CharField(max_length=1000, blank=True, default="")
    frequent_by = models.UUIDField(null=True, default=None)
    frequent_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            models.UniqueConstraint(
                fields=["tenant", "dataset_id", "purpose"], name="anonymization_tokenspace_scope", nulls_distinct=False
            ),
        ]


class TokenGeneration(TenantModel):
    """The keys of a scope from one rotation to the next, by id: blind index and FF1. Old ones go on opening."""

    space = TenantForeignKey(TokenSpace, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveSmallIntegerField()
    index_key = models.UUIDField()
    format_key = models.UUIDField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(
                name="anonymization_tokengeneration_space", field="space", to="anonymization.TokenSpace"
            ),
            models.UniqueConstraint(fields=["tenant", "space", "number"], name="anonymization_tokengeneration_number"),
        ]


class Token(TenantModel):
    """One token: nothing of it or its value is readable without a key.

    ``value_index`` and ``token_index`` are keyed digests. ``slot`` makes a value's token of one look unique: the look's
    digest, or for random tokens the row's own id. ``sealed`` holds token and value, bound to the row. ``uses`` counts
    occurrences of the value, ``reveals`` how often somebody turned it back. Where ``is_shortened`` a term over the
    store brought ``expires_at`` forward, and ``own_end`` is what its maker said (None: never).
    """

    KINDS = (("r", "random"), ("d", "deterministic"), ("f", "format"))

    space = TenantForeignKey(TokenSpace, on_delete=models.CASCADE, related_name="tokens")
    generation = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=1, choices=KINDS)
    value_index = models.BinaryField(max_length=16)
    slot = models.BinaryField(max_length=16)
    token_index = models.BinaryField(max_length=16)
    sealed = models.BinaryField()
    uses = models.PositiveIntegerField(default=1)
    reveals = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, default=None)
    own_end = models.DateTimeField(null=True, default=None)
    is_shortened = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            CompositeForeignKey(name="anonymization_token_space", field="space", to="anonymization.TokenSpace"),
            models.UniqueConstraint(fields=["tenant", "space", "token_index"], name="anonymization_token_text"),
            models.UniqueConstraint(
                fields=["tenant", "space", "value_index", "slot"], name="anonymization_token_value"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], name="anonymization_token_expiry", condition=Q(expires_at__isnull=False)
            ),
        ]


class TokenUse(TenantModel):
    """How often one principal has used one kind of token of a scope; ``kind`` is empty for tokens that do not exist."""

    space = TenantForeignKey(TokenSpace, on_delete=models.CASCADE, related_name="uses")
    principal_id = models.UUIDField()
    kind = models.CharField(max_length=1, choices=Token.KINDS, blank=True, default="")
    issued = models.PositiveBigIntegerField(default=0)
    repeated = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    revealed = models.PositiveBigIntegerField(default=0)
    removed = models.PositiveBigIntegerField(default=0)
    last_issued_at = models.DateTimeField(null=True, default=None)
    last_revealed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="anonymization_tokenuse_space", field="space", to="anonymization.TokenSpace"),
            models.UniqueConstraint(
                fields=["tenant", "space", "principal_id", "kind"], name="anonymization_tokenuse_who"
            ),
        ]


class TokenResealing(LongRunning):
    """Seals every token of a key's scope anew under its current key. ``key_scope`` is a dataset, or the tenant."""

    task_name = "anonymization.run_token_resealing"

    key_scope = models.UUIDField()
    new_key = models.UUIDField(null=True, default=None)
    moved_count = models.PositiveBigIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [*tenant_constraints(system=("SELECT", "UPDATE"))]
        indexes = [
            models.Index(fields=["tenant", "created_at"], name="anonymization_resealing_made"),
            models.Index(fields=["status", "lease_until"], name="anonymization_resealing_lease"),
        ]

    def __str__(self) -> str:
        return f"resealing of tokens {self.id}"
