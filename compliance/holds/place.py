"""Place a hold: it keeps what it names as soon as the first person has said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from access.models import User
from access.services.access_requests import require_other_person
from access.services.assurance import require_step_up, sign_in_rules
from access.services.authorize import authorize
from compliance.errors.holds import HoldStateConflict
from compliance.holds.deciding import hold_event, hold_to_decide
from compliance.holds.notices import write_notice
from compliance.holds.selectors import find_hold
from compliance.holds.texts import NoticeText, checked_text, seal_query, seal_text
from compliance.models import HoldScope, LegalHold
from datasets.errors import DatasetNotFound
from datasets.models import Dataset, HoldKind
from datasets.selectors import not_visible, resource_of
from datasets.services import holds
from datasets.services.descriptions import refuse_personal_data
from datasets.services.ingest.subjects import INDEXED
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MAX_MATTER: Final = 100
MAX_SCOPES: Final = 50
MAX_IDENTIFIERS: Final = 50


@dataclass(frozen=True)
class Wanted:
    """What of which dataset to keep."""

    dataset_id: UUID
    scope: holds.HoldScope


def place_hold(
    principal: Principal,
    *,
    matter: str,
    reason: str,
    custodian: UUID,
    wanted: Sequence[Wanted],
    notice: NoticeText | None = None,
) -> LegalHold:
    """Keep all of ``wanted`` from now on, in the open scope, until two people release it.

    The custodian is told of it where there is a ``notice``: of some matters they are not to know yet.

    Raises AccessDenied, StepUpRequired, InvalidInput, PersonalDataInText (in ``matter``, which refusals show),
    DatasetNotFound, VersionNotFound.
    """
    authorize(principal, "hold.place", ResourceRef("legal_hold"), facts={"scopes": len(wanted)})
    require_step_up(principal, sign_in_rules().step_up)
    _check(matter, custodian, wanted)
    hold = LegalHold(
        matter=matter.strip(),
        custodian=custodian,
        placed_by=principal.id,
        confirm_by=Now() + timedelta(days=settings.HOLD_CONFIRM_DAYS),
    )
    hold.reason = seal_text(hold.pk, "reason", checked_text("reason", reason))
    hold.save(force_insert=True)
    named = _known(principal).filter(pk__in={one.dataset_id for one in wanted})
    holds.lock_for_holds(list(named.values_list("pk", flat=True)))
    for one in sorted(wanted, key=lambda each: each.dataset_id):
        _keep(principal, hold, one)
    hold.refresh_from_db()
    emit(hold_event(EventType.HOLD_PLACED, hold))
    if notice is not None:
        write_notice(principal, hold, custodian, notice)
    return hold


def _check(matter: str, custodian: UUID, wanted: Sequence[Wanted]) -> None:
    problems = (
        [] if 0 < len(matter.strip()) <= MAX_MATTER else [FieldProblem("matter", f"1 to {MAX_MATTER} characters")]
    )
    if not User.objects.filter(pk=custodian).exists():
        problems.append(FieldProblem("custodian", "no person of this organization"))
    if not 0 < len(wanted) <= MAX_SCOPES:
        problems.append(FieldProblem("scopes", f"1 to {MAX_SCOPES} of them"))
    for index, one in enumerate(wanted):
        problems += [FieldProblem(f"scopes/{index}/{name}", what) for name, what in _lacks(one.scope)]
    if problems:
        raise InvalidInput(errors=problems)
    refuse_personal_data(matter=matter)


def _lacks(scope: holds.HoldScope) -> list[tuple[str, str]]:
    """What a scope of its kind must say and does not, or says and must not."""
    given = {
        "version": bool(scope.version),
        "identifiers": bool(scope.identifiers),
        "filter": scope.filter is not None and scope.filter.node is not None,
    }
    needs = {HoldKind.VERSION: "version", HoldKind.SUBJECT: "identifiers", HoldKind.QUERY: "filter"}.get(scope.kind)
    lacks = [
        (name, "is needed" if name == needs else f"does not belong to a scope of kind {scope.kind}")
        for name, is_given in given.items()
        if is_given != (name == needs)
    ]
    if len(scope.identifiers) > MAX_IDENTIFIERS:
        lacks.append(("identifiers", f"at most {MAX_IDENTIFIERS} of them"))
    lacks += [
        (f"identifiers/{index}", "a type that is looked up by its value, and a value")
        for index, one in enumerate(scope.identifiers)
        if one.entity_type not in INDEXED or not one.value.strip()
    ]
    return lacks


def _known(principal: Principal) -> QuerySet[Dataset]:
    """What is deleted and can still be restored can be held too: that is when it matters most."""
    known = Dataset.objects.visible_to(principal) | Dataset.objects.filter(deleted_at__isnull=False, purged_at=None)
    return known.filter(Q(pk__in=principal.datasets)) if principal.datasets else known


def _keep(principal: Principal, hold: LegalHold, one: Wanted) -> None:
    dataset = _known(principal).filter(pk=one.dataset_id).first()
    if dataset is None:
        raise not_visible(DatasetNotFound(), ResourceRef("dataset", str(one.dataset_id)), "hold.place")
    authorize(principal, "hold.place", resource_of(dataset), facts={"kind": str(one.scope.kind)})
    mark = holds.mark_held(hold_id=hold.pk, matter=hold.matter, dataset_id=dataset.pk, scope=one.scope)
    row = HoldScope(
        hold=hold,
        kind=one.scope.kind,
        dataset_id=dataset.pk,
        version=mark.version.label if mark.version else "",
        identifiers=len(one.scope.identifiers),
        found=mark.records.count() if one.scope.kind == HoldKind.SUBJECT else None,
        mark_id=mark.pk,
    )
    if one.scope.filter is not None:
        row.query = seal_query(row.pk, one.scope.filter)
    row.save(force_insert=True)


def confirm_hold(principal: Principal, *, hold_id: UUID) -> LegalHold:
    """Say as a second person that the hold is right.

    Raises HoldNotFound, AccessDenied, StepUpRequired, PersonRequired, SamePerson, HoldStateConflict.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.confirm")
    require_other_person(principal, hold.placed_by)
    if hold.released_at is not None or hold.confirmed_at is not None:
        raise HoldStateConflict
    LegalHold.objects.filter(pk=hold.pk).update(confirmed_by=principal.id, confirmed_at=Now())
    hold = find_hold(principal, hold.pk)
    emit(hold_event(EventType.HOLD_CONFIRMED, hold))
    return hold
