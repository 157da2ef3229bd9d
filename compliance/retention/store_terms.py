"""Set, try and end the terms of an organization over its stores: they shorten what is usual, and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Min
from django.db.models.functions import Now

from access.services.authorize import authorize
from access.services.clock import database_now
from access.terms import Store
from compliance.errors.retention import RetentionStoreNotFound
from compliance.models import StoreTerm
from compliance.models.retention import MAX_BASIS
from compliance.retention.policies import MAX_DAYS, MAX_GRACE, begin_clock
from compliance.retention.stores import SHELVES, notice_days, to_shorten
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

KIND: Final = "retention_store"


@dataclass(frozen=True)
class Terms:
    """What is asked of a store; see StoreTerm."""

    days: int
    legal_basis: str = ""
    grace_days: int = 7


@dataclass(frozen=True)
class StoreState:
    """One store as it is now: ``usual_days`` by the vault's settings (None: its makers say), ``term`` if one is set."""

    store: Store
    title: str
    usual_days: int | None
    term: StoreTerm | None
    standing: int
    held: int
    next: datetime | None


@dataclass(frozen=True)
class StorePreview:
    """What a term would do, counted now.

    ``shortened`` would get an earlier end, of which ``ending`` would be over by ``by``; ``held`` are kept by a legal
    hold, ``promised`` belong to datasets that must be kept and are not shortened. ``first_end`` is the earliest of
    the new ends.
    """

    by: datetime
    standing: int
    shortened: int
    ending: int
    held: int
    promised: int
    first_end: datetime | None


def store_named(name: str) -> Store:
    """Raises RetentionStoreNotFound."""
    try:
        return Store(name)
    except ValueError:
        raise RetentionStoreNotFound from None


def list_stores(principal: Principal) -> list[StoreState]:
    """Every store and its term, in the open scope. Raises AccessDenied."""
    authorize(principal, "retention.read", ResourceRef(KIND))
    return store_states()


def store_states() -> list[StoreState]:
    """As :func:`list_stores`, without a decision."""
    terms = {term.store: term for term in StoreTerm.objects.all()}
    return [_state(store, terms.get(store.value)) for store in SHELVES]


def find_store(principal: Principal, name: str) -> StoreState:
    """One store and its term. Raises AccessDenied, RetentionStoreNotFound."""
    authorize(principal, "retention.read", ResourceRef(KIND, name))
    store = store_named(name)
    return _state(store, StoreTerm.objects.filter(store=store).first())


def _state(store: Store, term: StoreTerm | None) -> StoreState:
    shelf = SHELVES[store]
    rows = shelf.rows().order_by()
    held = rows.filter(shelf.held()).count()
    ends = rows.aggregate(next=Min("expires_at"))["next"]
    return StoreState(store, shelf.title, store.usual_days, term, rows.count(), held, ends)


def set_term(principal: Principal, *, name: str, terms: Terms) -> StoreTerm:
    """Put a term over a store in force, or another wording of it; what stands is shortened by the next run.

    Raises AccessDenied, RetentionStoreNotFound, InvalidInput, PersonalDataInText.
    """
    authorize(principal, "retention.manage", ResourceRef(KIND, name), facts={"change": "set", "days": terms.days})
    store = store_named(name)
    _check(store, terms)
    if not 0 < len(terms.legal_basis.strip()) <= MAX_BASIS:
        raise InvalidInput(errors=[FieldProblem("/legal_basis", f"1 to {MAX_BASIS} characters")])
    refuse_personal_data(legal_basis=terms.legal_basis)
    begin_clock()
    said: dict[str, Any] = {
        "days": terms.days,
        "grace_days": terms.grace_days,
        "legal_basis": terms.legal_basis.strip(),
        "changed_by": principal.id,
        "changed_at": Now(),
    }
    term, is_new = StoreTerm.objects.get_or_create(store=store.value, defaults=said)
    if not is_new:
        StoreTerm.objects.filter(pk=term.pk).update(**said, revision=F("revision") + 1)
    term.refresh_from_db()
    emit(_changed(store, "created" if is_new else "updated", term))
    return term


def end_term(principal: Principal, *, name: str) -> None:
    """Take a term back: what comes now ends as is usual; what was shortened stays so.

    Raises AccessDenied, RetentionStoreNotFound (also where no term is set).
    """
    authorize(principal, "retention.manage", ResourceRef(KIND, name), facts={"change": "end"})
    store = store_named(name)
    begin_clock()
    term = StoreTerm.objects.filter(store=store.value).first()
    if term is None:
        raise RetentionStoreNotFound
    StoreTerm.objects.filter(pk=term.pk).delete()
    emit(_changed(store, "ended", term))


def preview_term(principal: Principal, *, name: str, terms: Terms, ahead_days: int = 0) -> StorePreview:
    """What a term would do, without doing it. Raises AccessDenied, RetentionStoreNotFound, InvalidInput."""
    authorize(principal, "retention.read", ResourceRef(KIND, name))
    store = store_named(name)
    _check(store, terms)
    shelf = SHELVES[store]
    term = StoreTerm(store=store.value, days=terms.days, grace_days=terms.grace_days)
    now = database_now()
    by = now + timedelta(days=ahead_days)
    rows = to_shorten(term, now).order_by()
    return StorePreview(
        by=by,
        standing=shelf.rows().count(),
        shortened=rows.count(),
        ending=rows.filter(new_end__lte=by).exclude(shelf.held()).count(),
        held=rows.filter(shelf.held()).count(),
        promised=shelf.rows().filter(shelf.promised()).count(),
        first_end=rows.aggregate(first=Min("new_end"))["first"],
    )


def _check(store: Store, terms: Terms) -> None:
    least, most = notice_days(store) + 1, store.usual_days or MAX_DAYS
    problems = []
    if not least <= terms.days <= most:
        problems.append(FieldProblem("/days", f"{least} to {most}: a policy shortens what is usual"))
    if not 0 <= terms.grace_days <= MAX_GRACE:
        problems.append(FieldProblem("/grace_days", f"0 to {MAX_GRACE}"))
    if problems:
        raise InvalidInput(errors=problems)


def _changed(store: Store, change: str, term: StoreTerm) -> Event:
    said = {"change": change, "store": store.value, "revision": term.revision}
    said |= {} if change == "ended" else {"days": term.days, "grace_days": term.grace_days}
    return Event(
        EventType.RETENTION_CHANGED, operation="update", resource=ResourceRef(KIND, store.value), metadata=said
    )
