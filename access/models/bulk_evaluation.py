"""Many questions to the decision point at once: the job, and every question with its answer."""

from django.db import models

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class BulkEvaluation(LongRunning):
    """``questions`` that somebody asked, of which ``allowed``, ``conditional`` and ``denied`` were answered so.

    ``first_epoch`` and ``last_epoch`` count the changes of policies before the first and the last answer: where they
    differ, or are not today's, some answers are of other policies than those in force.
    """

    task_name = "access.run_bulk_evaluation"

    questions = models.PositiveIntegerField()
    allowed = models.PositiveIntegerField(default=0)
    conditional = models.PositiveIntegerField(default=0)
    denied = models.PositiveIntegerField(default=0)
    first_epoch = models.BigIntegerField(null=True, default=None)
    last_epoch = models.BigIntegerField(null=True, default=None)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "UPDATE", "DELETE")),
        ]
        indexes = [models.Index(fields=["tenant", "requested_by", "id"], name="access_bulk_requester")]


class BulkQuestion(TenantModel):
    """One question, sealed because whoever asks may claim anything of anybody; its answer is codes alone.

    ``effect`` is empty until it is answered; ``ttl_seconds`` says for how long, from then, the answer may be kept.
    """

    bulk = TenantForeignKey(BulkEvaluation, models.CASCADE, related_name="asked")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    effect = models.CharField(max_length=21, blank=True, default="")
    reason = models.CharField(max_length=100, blank=True, default="")
    obligations = models.JSONField(default=list)
    policies = models.JSONField(default=list)
    ttl_seconds = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "DELETE")),
            CompositeForeignKey(
                name="access_bulkquestion_bulk", field="bulk", to="access.BulkEvaluation", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "bulk", "number"], name="access_bulkquestion_number"),
        ]
