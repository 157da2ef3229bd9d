"""Records of erased people that came back: search for the person anew, erase them again, or say why the records stay.

Nobody knows any more whom the erasure was about. The identifier is read from the record that has it, and goes into the
search sealed; it is shown to nobody.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.errors.subjects import (
    ReturnGone,
    ReturnNotFound,
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


def list_returns(
    principal: Principal, *, state: str = "", after: UUID | None = None, limit: int
) -> list[IdentifierReturn]:
    """Newest first, those of one state or all. Raises AccessDenied."""
    authorize(principal, "subject.read", ResourceRef("subject_return"))
    rows = IdentifierReturn.objects.exclude(cause=STAYS).select_related("suppressed", "dataset").order_by("-id")
    rows = rows.filter(state=state) if state else rows
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def searches_of(returns: Sequence[IdentifierReturn]) -> dict[UUID, SubjectSearch]:
    """The searches that were made from them, by id, in the open scope."""
    return SubjectSearch.objects.in_bulk([one.search for one in returns if one.search is not None])


def search_again(principal: Principal, *, return_id: UUID) -> SubjectSearch:
    """Queue a search for the person by every identifier of theirs that came back and is still open, in the open scope.

    Raises AccessDenied, ReturnNotFound, ReturnSettled, ReturnUnderSearch, ReturnGone, and what opening a dataset does.
    """
    authorize(principal, "subject.search", _resource(return_id))
    row = _locked(return_id)
    if row.search is not None:
        earlier = SubjectSearch.objects.filter(pk=row.search).first()
        if earlier is not None and not earlier.is_final:
            raise ReturnUnderSearch(search=str(earlier.pk))
    theirs = IdentifierReturn.objects.filter(suppressed__erasure=row.suppressed.erasure, state=ReturnState.OPEN)
    theirs = theirs.exclude(cause=STAYS)
    identifiers = _identifiers([row, *theirs.exclude(pk=row.pk).select_related("suppressed").order_by("-id")[:_READ]])
    search = start_subject_search(principal, identifiers=identifiers)
    theirs.update(search=search.pk)
    return search


def _identifiers(rows: Sequence[IdentifierReturn]) -> list[Identifier]:
    """The identifiers behind returns of one person, each once. Raises ReturnGone where no record has one any more."""
    wanted = {bytes(row.suppressed.key) for row in rows}
    found: dict[bytes, tuple[str, str]] = {}
    for row in rows:
        left = wanted - found.keys()
        if bytes(row.suppressed.key) in left and len(found) < MAX_IDENTIFIERS:
            found |= suppressed_identifiers(row.dataset_id, row.record_id, left)
    if not found:
        raise ReturnGone
    return [Identifier(kind, text) for kind, text in list(found.values())[:MAX_IDENTIFIERS]]


def erase_again(principal: Principal, *, return_id: UUID, legal_basis: LegalBasis | None = None) -> SubjectErasure:
    """Queue the erasure of what the search from the return found; on the ground of the first where none is given.

    It cannot be undone. Raises AccessDenied, ReturnNotFound, ReturnSettled, ReturnNotSearched, and what
    ``start_subject_erasure`` raises.
    """
    authorize(principal, "subject.erase", _resource(return_id))
    row = _locked(return_id)
    if row.search is None:
        raise ReturnNotSearched
    first = SubjectErasure.objects.filter(pk=row.suppressed.erasure).first()
    basis = legal_basis or (LegalBasis(first.legal_basis) if first is not None else LegalBasis.OTHER)
    return start_subject_erasure(principal, search_id=row.search, legal_basis=basis)


def dismiss_returns(principal: Principal, *, return_ids: Sequence[UUID], ground: str) -> list[IdentifierReturn]:
    """Say why these records stay, in the open scope: they are not flagged again.

    Raises AccessDenied, InvalidInput, PersonalDataInText, ReturnNotFound, ReturnSettled.
    """
    resource = _resource(return_ids[0]) if len(return_ids) == 1 else ResourceRef("subject_return")
    authorize(principal, "subject.review", resource, facts={"returns": len(return_ids)})
    if not 0 < len(ground.strip()) <= MAX_GROUND:
        raise InvalidInput(errors=[FieldProblem("/ground", f"1 to {MAX_GROUND} characters")])
    if not 0 < len(return_ids) <= MAX_DISMISSED:
        raise InvalidInput(errors=[FieldProblem("/returns", f"1 to {MAX_DISMISSED} returns")])
    refuse_personal_data(ground=ground)
    rows = [_locked(pk) for pk in sorted(set(return_ids))]
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


def _locked(return_id: UUID) -> IdentifierReturn:
    """One that is open, its row locked until the open transaction ends. Raises ReturnNotFound, ReturnSettled."""
    rows = IdentifierReturn.objects.select_for_update(no_key=True, of=("self",)).exclude(cause=STAYS)
    row = rows.select_related("suppressed", "dataset").filter(pk=return_id).first()
    if row is None:
        raise ReturnNotFound
    if row.state != ReturnState.OPEN:
        raise ReturnSettled(state=row.state)
    return row


def _resource(return_id: UUID) -> ResourceRef:
    return ResourceRef("subject_return", str(return_id))
