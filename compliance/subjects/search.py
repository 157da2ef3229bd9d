"""Ask for a search over everything stored, and look at searches."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from access.services.authorize import authorize
from compliance.errors.subjects import SubjectSearchNotFound
from compliance.models import MatchState, SubjectErasure, SubjectMatch, SubjectSearch
from compliance.subjects.identifiers import Identifier, Known, checked, known_types, seal_known
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import FINAL, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

#: For how long the identifiers of a case are kept: the month that a request has, and two more (GDPR Art. 12(3)).
KEPT_DAYS: Final = 92


def start_subject_search(
    principal: Principal, *, identifiers: Sequence[Identifier], request_id: UUID | None = None
) -> SubjectSearch:
    """Queue a search for one person, in the open scope; ``request_id`` is the case that asks.

    The identifiers are sealed, and forgotten when the person is erased or after KEPT_DAYS. Raises AccessDenied,
    InvalidInput.
    """
    search_id = uuid7()
    resource = ResourceRef("subject_search", str(search_id))
    decision = authorize(principal, "subject.search", resource, facts={"types": known_types(identifiers)})
    given = checked(identifiers)
    search = SubjectSearch(
        id=search_id,
        identifiers=seal_known(search_id, Known(given)),
        identifier_types=[one.type for one in given],
        case=request_id,
        purpose=decision.purpose or "",
        forget_at=timezone.now() + timedelta(days=KEPT_DAYS),
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    search.save(force_insert=True)
    enqueue(search)
    return search


def get_search(principal: Principal, search_id: UUID, *, action: str = "subject.read") -> SubjectSearch:
    """Raises AccessDenied, SubjectSearchNotFound."""
    authorize(principal, action, ResourceRef("subject_search", str(search_id)))
    return find_search(search_id)


def find_search(search_id: UUID) -> SubjectSearch:
    """Without a decision of its own. Raises SubjectSearchNotFound."""
    search = SubjectSearch.objects.filter(pk=search_id).first()
    if search is None:
        raise SubjectSearchNotFound
    return search


def lock_search(search_id: UUID) -> SubjectSearch:
    """As ``find_search``, its row locked until the open transaction ends: what it found is decided on by one alone."""
    search = SubjectSearch.objects.select_for_update(no_key=True).filter(pk=search_id).first()
    if search is None:
        raise SubjectSearchNotFound
    return search


def list_searches(principal: Principal, *, after: UUID | None, limit: int) -> list[SubjectSearch]:
    """Newest first. Raises AccessDenied."""
    authorize(principal, "subject.read", ResourceRef("subject_search"))
    rows = SubjectSearch.objects.order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def list_matches(
    principal: Principal, search_id: UUID, *, state: str = "", after: UUID | None, limit: int
) -> list[SubjectMatch]:
    """What a search found, in the order it was found. Raises AccessDenied, SubjectSearchNotFound."""
    search = get_search(principal, search_id)
    rows = SubjectMatch.objects.filter(search=search).order_by("id")
    if state:
        rows = rows.filter(state=state)
    return list((rows.filter(pk__gt=after) if after else rows)[:limit])


def accepted_matches(search_id: UUID) -> list[SubjectMatch]:
    """What is the person's, in the open scope: proved by an identifier, or accepted by somebody."""
    rows = SubjectMatch.objects.filter(search_id=search_id, state=MatchState.ACCEPTED)
    return list(rows.order_by("store", "dataset_id", "record_id", "id"))


def undecided(search_id: UUID) -> int:
    """How many matches of a search wait for somebody."""
    return SubjectMatch.objects.filter(search_id=search_id, state=MatchState.PENDING).count()


def forget_identifiers() -> int:
    """Over all tenants: forget the identifiers of searches past their time; returns of how many.

    An erasure that is under way needs those of its search, and forgets them itself.
    """
    erasing = SubjectErasure.objects.using("system").filter(search=OuterRef("pk")).exclude(status__in=FINAL)
    late = SubjectSearch.objects.using("system").filter(forget_at__lte=timezone.now(), identifiers__isnull=False)
    return late.filter(~Exists(erasing), status__in=FINAL).update(identifiers=None)
