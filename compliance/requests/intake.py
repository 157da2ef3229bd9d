"""A request is taken in: by staff, by a program, or by the public form."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.models import SubjectRequest
from compliance.models.request import Channel, IdentityMethod, Law, LegalBasis, RequestType
from compliance.requests.sealed import SubjectFacts, subject_key
from compliance.requests.states import DONE, State, move, reckon, resource_of_request, tell
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MANAGE: Final = "subject_request.manage"
READ: Final = "subject_request.read"
#: A request may have reached the organization so long before it is entered.
LONGEST_AGO: Final = timedelta(days=366)
#: Letters and digits that nobody takes for another.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_REFERENCE: Final = 10


@dataclass(frozen=True)
class Intake:
    """What is asked for, under which law, how and when it reached the organization (None: now)."""

    type: RequestType
    law: Law
    channel: Channel
    received_at: datetime | None = None
    legal_basis: LegalBasis = LegalBasis.UNKNOWN


def create_request(
    principal: Principal,
    *,
    intake: Intake,
    facts: SubjectFacts,
    identity: IdentityMethod = IdentityMethod.NONE,
) -> SubjectRequest:
    """Enter a request that reached the organization, in the open scope.

    ``identity`` says by what the principal made sure who the subject is, where they did. Raises AccessDenied,
    InvalidInput.
    """
    told = {"request_type": intake.type.value, "law": intake.law.value, "channel": intake.channel.value}
    authorize(principal, MANAGE, resource_of_request(), facts=told)
    facts.require_valid()
    if identity == IdentityMethod.EMAIL_LINK:
        raise InvalidInput(errors=[FieldProblem("/identity", "only the subject can follow a link")])
    request = make_request(intake, facts, by=principal.id)
    if identity != IdentityMethod.NONE:
        move(request, State.VERIFIED, identity_method=identity, verified_by=principal.id, verified_at=timezone.now())
    return request


def make_request(intake: Intake, facts: SubjectFacts, *, by: UUID) -> SubjectRequest:
    """The row of a new request, in the open scope. Raises InvalidInput for a time of receipt that cannot be."""
    now = timezone.now()
    received = intake.received_at or now
    if not now - LONGEST_AGO <= received <= now + timedelta(minutes=5):
        raise InvalidInput(errors=[FieldProblem("/received_at", "within the last year, and not in the future")])
    request = SubjectRequest(
        id=uuid7(),
        reference="".join(secrets.choice(_ALPHABET) for _ in range(_REFERENCE)),
        type=intake.type,
        law=intake.law,
        legal_basis=intake.legal_basis,
        channel=intake.channel,
        received_at=received,
        created_by=by,
        subject_key=subject_key(facts.contact),
    )
    request.due_on = reckon(request)
    request.facts = facts.seal_for(request)
    request.duplicate_of = _earlier(request)
    request.save(force_insert=True)
    request.refresh_from_db()
    tell(
        EventType.SUBJECT_REQUEST_RECEIVED,
        request,
        operation="write",
        channel=request.channel,
        is_duplicate=request.duplicate_of_id is not None,
    )
    return request


def _earlier(request: SubjectRequest) -> SubjectRequest | None:
    """The first unanswered request of the same subject for the same thing."""
    same = SubjectRequest.objects.filter(subject_key=request.subject_key, type=request.type).exclude(state__in=DONE)
    return same.order_by("received_at", "id").first()
