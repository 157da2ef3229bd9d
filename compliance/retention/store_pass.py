"""What a run does about the stores: bring ends forward, let go what is past its end, and tell of both."""

from typing import Final
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from access.services.clock import database_now
from access.terms import Store
from compliance.models import RetentionRun, RetentionStoreStep, StoreTerm
from compliance.retention.store_terms import KIND
from compliance.retention.stores import SHELVES, to_shorten
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import Claim

#: Rows whose end is brought forward in one transaction.
BATCH: Final = 2_000


class StorePass:
    """One worker's hold on the part of a run that is about stores; a store that has its step is done."""

    def __init__(self, run: RetentionRun, held: Claim) -> None:
        self._run = run
        self._claim = held

    def settle_next(self) -> bool:
        """Settle one store; False: each has its step."""
        with self._claim.scope():
            done = RetentionStoreStep.objects.filter(run=self._run).values("store")
            term = StoreTerm.objects.exclude(store__in=done).order_by("store").first()
            tenant_id = self._run.tenant_id
            self._claim.save(progress={"stage": "stores"})
        if term is None:
            return False
        while self._shorten(term.pk) == BATCH:
            pass
        while SHELVES[Store(term.store)].expire(tenant_id):
            self._beat()
        self._tell(term.pk)
        return True

    def _beat(self) -> None:
        with self._claim.scope():
            self._claim.save(attempt=0)  # honest progress

    def _shorten(self, term_id: UUID) -> int:
        """A batch of what would end later than by the term, as it is worded now; what somebody changes waits."""
        with self._claim.scope():
            term = StoreTerm.objects.filter(pk=term_id).first()
            if term is None:
                return 0
            rows = to_shorten(term, database_now())
            found = rows.order_by("pk").select_for_update(of=("self",), skip_locked=True)
            keys = list(found.values_list("pk", flat=True)[:BATCH])
            rows.filter(pk__in=keys).update(expires_at=F("new_end"), **SHELVES[Store(term.store)].remembered)
            StoreTerm.objects.filter(pk=term_id).update(shortened=F("shortened") + len(keys))
            self._claim.save(attempt=0)
        return len(keys)

    def _tell(self, term_id: UUID) -> None:
        with self._claim.scope():
            term = StoreTerm.objects.select_for_update().filter(pk=term_id).first()
            if term is None:
                return
            shelf = SHELVES[Store(term.store)]
            rows = shelf.rows()
            step = RetentionStoreStep.objects.create(
                run=self._run,
                store=term.store,
                days=term.days,
                shortened=term.shortened,
                ended=term.ended,
                held=rows.filter(shelf.held(), expires_at__lte=Now()).count(),
                standing=rows.count(),
            )
            StoreTerm.objects.filter(pk=term_id).update(shortened=0, ended=0)
            if step.shortened or step.ended:
                emit(_applied(step))
            self._claim.save(attempt=0)


def _applied(step: RetentionStoreStep) -> Event:
    counts = {name: getattr(step, name) for name in ("days", "shortened", "ended", "held")}
    return Event(
        EventType.RETENTION_APPLIED,
        operation="delete" if step.ended else "update",
        resource=ResourceRef(KIND, step.store),
        metadata={"store": step.store, **counts},
    )
