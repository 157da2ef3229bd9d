"""Checkpoints on their way to the witnesses: in the order of their sizes, again and again until each is taken."""

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from access.models import Tenant
from audit.log.errors import WitnessUnavailable
from audit.log.keys import origin_of
from audit.log.witnesses.base import Witness
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.models import AuditCheckpoint, WitnessReceipt

#: Checkpoints handed to one witness in one run.
LIMIT: Final = 100
logger = logging.getLogger("vault.audit")


def witness_checkpoints(tenant_id: UUID) -> int:
    """Hand checkpoints to every witness that does not hold them yet; returns how many receipts came.

    As vault_system, without a scope. A witness that does not answer is asked again the next time. Raises
    WitnessConflict.
    """
    return sum(_offer(tenant_id, witness) for witness in enlisted_witnesses())


def unwitnessed_tenants(age: timedelta = timedelta()) -> list[UUID]:
    """Tenants whose newest checkpoint, of those at least ``age`` old, is not held by every witness."""
    old = AuditCheckpoint.objects.using("system").filter(tenant_id=OuterRef("pk"), time__lte=Now() - age)
    tenants = Tenant.objects.using("system").annotate(newest=Subquery(old.order_by("-size").values("pk")[:1]))
    newest = dict(tenants.filter(newest__isnull=False).values_list("newest", "pk"))
    receipts = WitnessReceipt.objects.using("system").filter(
        tenant_id__in=list(newest.values()), checkpoint_id__in=list(newest)
    )
    held = [
        set(receipts.filter(witness=witness.name).values_list("checkpoint_id", flat=True))
        for witness in enlisted_witnesses()
    ]
    return sorted(tenant_id for checkpoint, tenant_id in newest.items() if any(checkpoint not in one for one in held))


def _offer(tenant_id: UUID, witness: Witness) -> int:
    taken = 0
    for checkpoint in list(_waiting(tenant_id, witness)[:LIMIT]):
        try:
            held = witness.hold(origin_of(tenant_id), checkpoint.size, checkpoint.note)
        except WitnessUnavailable as fault:
            logger.warning("%s: %s: %s", fault.code, witness.name, fault.extra.get("reason", ""))
            break
        receipt = WitnessReceipt(
            tenant_id=tenant_id,
            checkpoint=checkpoint,
            witness=witness.name,
            place=held.place,
            locked_until=held.locked_until,
        )
        with suppress(IntegrityError), transaction.atomic(using="system"):  # another worker offered it as well
            receipt.save(using="system", force_insert=True)
            taken += 1
    return taken


def _waiting(tenant_id: UUID, witness: Witness) -> QuerySet[AuditCheckpoint]:
    """Checkpoints behind the newest one that it holds: it was given them in order."""
    checkpoints = AuditCheckpoint.objects.using("system").filter(tenant_id=tenant_id)
    held = checkpoints.filter(_receipt(witness.name)).order_by("-size").values_list("size", flat=True).first()
    return checkpoints.filter(size__gt=held or 0).order_by("size")


def _receipt(witness: str) -> Exists:
    receipts = WitnessReceipt.objects.using("system").filter(
        tenant_id=OuterRef("tenant_id"), checkpoint_id=OuterRef("pk"), witness=witness
    )
    return Exists(receipts)
