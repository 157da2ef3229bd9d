"""A draft of a policy, tried on what was really asked: the job, and whom it would give or take something."""

from django.db import models

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class PolicyReplay(LongRunning):
    """The recorded decisions of the last ``days`` days, decided on again as if ``version`` were in force.

    ``without``: as if the policy had no version in force. ``replayed`` decisions were compared, ``differing`` of them
    would come out otherwise, ``drifted`` come out otherwise today than when they were recorded, whatever the draft
    says, and ``unreplayable`` do not say what they were decided on.
    """

    task_name = "access.run_policy_replay"

    version = TenantForeignKey("access.AccessPolicyVersion", models.PROTECT, related_name="replays")
    without = models.BooleanField(default=False)
    days = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    replayed = models.PositiveIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    drifted = models.PositiveIntegerField(default=0)
    unreplayable = models.PositiveIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "UPDATE", "DELETE")),
            CompositeForeignKey(name="access_replay_version", field="version", to="access.AccessPolicyVersion"),
        ]
        indexes = [models.Index(fields=["tenant", "version", "created_at"], name="access_replay_by_version")]


class ReplayDifference(TenantModel):
    """What one principal would be answered otherwise about one resource; ``decisions`` of them, all alike."""

    replay = TenantForeignKey(PolicyReplay, models.CASCADE, related_name="differences")
    principal_kind = models.CharField(max_length=7)
    principal = models.UUIDField()
    action = models.CharField(max_length=63)
    resource_type = models.CharField(max_length=63)
    resource_id = models.CharField(max_length=200)
    before = models.CharField(max_length=300)
    after = models.CharField(max_length=300)
    decisions = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "DELETE")),
            CompositeForeignKey(name="access_difference_replay", field="replay", to="access.PolicyReplay"),
            models.UniqueConstraint(
                fields=["tenant", "replay", "principal", "action", "resource_type", "resource_id", "before", "after"],
                name="access_difference_once",
            ),
        ]
