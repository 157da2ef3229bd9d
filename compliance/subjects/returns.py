"""Records of erased people that came back: search for the person anew, erase them again, or say why the records stay.

Nobody knows any more whom the erasure was about. The identifier is read from the record that has it, and goes into the
search sealed; it is shown to nobody.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from access.services.authorize import authorize
from compliance.errors.subjects import (
    ReturnGone,
    ReturnNotFound,
    ReturnNotRead,
    ReturnNotSearched,
    ReturnSettled,
    ReturnUnderSearch,
)
from compliance.models import LegalBasis, SubjectErasure, SubjectSearch
from compliance.subjects.erase import start_subject_erasure
from compliance.subjects.identifiers import MAX_IDENTIFIERS, Identifier
from compliance.subjects.search import start_subject_search
from datasets.models import IdentifierReturn, ReturnState
from datasets.services.descriptions import refuse_personal_data
from datasets.services.returned import suppressed_identifiers
from datasets.services.suppression import STAYS
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MAX_GROUND: Final = 1000
#: Returns that one decision lets stay.
MAX_DISMISSED: Final = 100
#: Records that are opened for the identifiers of one person.
_READ: Final = 100


def visible_returns(principal: Principal) -> QuerySet[IdentifierReturn]:
    """All of the organization, or of the datasets that a credential is held to."""
    rows = IdentifierReturn.objects.exclude(cause=STAYS)
    return rows.filter(dataset__in=principal.datasets) if principal.datasets else rows


def list_returns(
    principal: Principal, *, state: str = "", after: UUID | None = None, limit: int
) -> list[IdentifierReturn]:
    """Newest first, those of one state or all. Raises AccessDenied."""
    authorize(principal, "subject.read", ResourceRef("subject_return"))
    rows = visible_returns(principal).select_related("suppressed", "dataset").order_by("-id")
    rows = rows.filter(state=state) if state else rows
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def searches_of(returns: Sequence[IdentifierReturn]) -> dict[UUID, SubjectSearch]:
    """The searches that were made from them, by id, in the open scope."""
    return SubjectSearch.objects.in_bulk([one.search for one in returns if one.search is not None])


def search_again(principal: Principal, *, return_id: UUID) -> SubjectSearch:
    """Queue a search for the person by every identifier of theirs that came back and is still open, in the open scope.

    Raises AccessDenied, ReturnNotFound, ReturnSettled, ReturnUnderSearch, ReturnGone, ReturnNotRead, and what opening a
    dataset does.
    """
    authorize(principal, "subject.search", _resource(principal, return_id))
    row, *others = _locked_of_person(principal, return_id)
    if row.search is not None:
        earlier = SubjectSearch.objects.filter(pk=row.search).first()
        if earlier is not None and not earlier.is_final:
            raise ReturnUnderSearch(search=str(earlier.pk))
    search = start_subject_search(principal, identifiers=_identifiers([row, *others[:_READ]]))
    IdentifierReturn.objects.filter(pk__in=[one.pk for one in (row, *others)]).update(search=search.pk)
    return search


def _locked_of_person(principal: Principal, return_id: UUID) -> list[IdentifierReturn]:
    """This return, then the other open ones of the person, newest first; locked in one order, so that two officers who
    begin with different ones wait for each other. Raises ReturnNotFound, ReturnSettled.
    """
    erasure = visible_returns(principal).filter(pk=return_id).values("suppressed__erasure")
    theirs = visible_returns(principal).filter(suppressed__erasure__in=erasure, state=ReturnState.OPEN)
    theirs = theirs.select_for_update(no_key=True, of=("self",)).select_related("suppressed", "dataset").order_by("pk")
    rows = {row.pk: row for row in theirs}
    first = rows.pop(return_id, None) or _locked(principal, return_id)
    return [first, *reversed(rows.values())]


def _identifiers(rows: Sequence[IdentifierReturn]) -> list[Identifier]:
    """The identifiers behind returns of one person, each once.

    Raises ReturnGone where no record has one any more, ReturnNotRead where a version may that was not looked at.
    """
    wanted = {bytes(row.suppressed.key) for row in rows}
    found: dict[bytes, tuple[str, str]] = {}
    is_whole = True
    for row in rows:
        left = wanted - found.keys()
        if bytes(row.suppressed.key) in left and len(found) < MAX_IDENTIFIERS:
            read = suppressed_identifiers(row.dataset_id, row.record_id, left)
            found, is_whole = found | read.found, is_whole and read.is_whole
    if not found:
        raise ReturnGone if is_whole else ReturnNotRead
    return [Identifier(kind, text) for kind, text in list(found.values())[:MAX_IDENTIFIERS]]


def erase_again(principal: Principal, *, return_id: UUID, legal_basis: LegalBasis | None = None) -> SubjectErasure:
    """Queue the erasure of what the search from the return found; on the ground of the first where none is given.

    It cannot be undone. Raises AccessDenied, ReturnNotFound, ReturnSettled, ReturnNotSearched, and what
    ``start_subject_erasure`` raises.
    """
    authorize(principal, "subject.erase", _resource(principal, return_id))
    row = _locked(principal, return_id)
    if row.search is None:
        raise ReturnNotSearched
    first = SubjectErasure.objects.filter(pk=row.suppressed.erasure).first()
    basis = legal_basis or (LegalBasis(first.legal_basis) if first is not None else LegalBasis.OTHER)
    return start_subject_erasure(principal, search_id=row.search, legal_basis=basis)


def dismiss_returns(principal: Principal, *, return_ids: Sequence[UUID], ground: str) -> list[IdentifierReturn]:
    """Say why these records stay, in the open scope: they are not flagged again.

    Raises AccessDenied, InvalidInput, PersonalDataInText, ReturnNotFound, ReturnSettled.
    """
    resource = _resource(principal, return_ids[0]) if len(return_ids) == 1 else ResourceRef("subject_return")
    authorize(principal, "subject.review", resource, facts={"returns": len(return_ids)})
    if not 0 < len(ground.strip()) <= MAX_GROUND:
        raise InvalidInput(errors=[FieldProblem("/ground", f"1 to {MAX_GROUND} characters")])
    if not 0 < len(return_ids) <= MAX_DISMISSED:
        raise InvalidInput(errors=[FieldProblem("/returns", f"1 to {MAX_DISMISSED} returns")])
    refuse_personal_data(ground=ground)
    rows = [_locked(principal, pk) for pk in sorted(set(return_ids))]
    for row in rows:
        row.state, row.ground = ReturnState.DISMISSED, ground.strip()
        row.settled_by, row.settled_at = principal.id, timezone.now()
        row.save(update_fields=["state", "ground", "settled_by", "settled_at"])
        _tell_dismissed(row)
    return rows


def _tell_dismissed(row: IdentifierReturn) -> None:
    resource = ResourceRef("subject_return", str(row.pk), dataset_id=row.dataset_id)
    facts = {"cause": row.cause, "erasure": str(row.suppressed.erasure)}
    emit(Event(EventType.SUBJECT_RETURN_DISMISSED, operation="update", resource=resource, metadata=facts))


def _locked(principal: Principal, return_id: UUID) -> IdentifierReturn:
    """One that is open, its row locked until the open transaction ends. Raises ReturnNotFound, ReturnSettled."""
    rows = visible_returns(principal).select_for_update(no_key=True, of=("self",))
    row = rows.select_related("suppressed", "dataset").filter(pk=return_id).first()
    if row is None:
        raise ReturnNotFound
    if row.state != ReturnState.OPEN:
        raise ReturnSettled(state=row.state)
    return row


def _resource(principal: Principal, return_id: UUID) -> ResourceRef:
    """As decisions name it: in its dataset, where the principal may know of it."""
    found = visible_returns(principal).filter(pk=return_id).values_list("dataset_id", flat=True).first()
    return ResourceRef("subject_return", str(return_id), dataset_id=found)
