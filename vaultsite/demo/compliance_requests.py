"""Requests of data subjects of a demo tenant: the people are invented, and those of the samples."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from compliance.models import SubjectRequest
from compliance.models.request import Channel, IdentityMethod, Law, LegalBasis, RefusalGround, RequestType
from compliance.requests.cases import assign, refuse
from compliance.requests.intake import Intake, create_request
from compliance.requests.sealed import SubjectFacts
from compliance.requests.searches import note_end, start_search
from compliance.subjects.sweep import run_search
from vaultsite.demo.people import acting_as

_OFFICER: Final = "privacy-officer"
_MAYA: Final = SubjectFacts(
    name="Maya Whitfield",
    contact="maya.whitfield@example.com",
    details="Please send me everything you keep of me, the conversations with your support as well.",
)
_RENEE: Final = SubjectFacts(
    name="Renee Ridley",
    contact="renee.ridley96@example.org",
    details="Delete what I wrote to you in spring.",
)
_SOMEBODY: Final = SubjectFacts(
    name="A reader of the newspaper",
    contact="Box 12, 1000 Example Town",
    details="Stop whatever you do with me.",
)


def receive_requests(tenant: Tenant, _: dict[str, UUID]) -> None:
    """One in review whose month is nearly over, one that nobody has verified, one that was refused."""
    now = timezone.now()
    with acting_as(tenant, _OFFICER) as officer:
        if SubjectRequest.objects.exists():
            return
        by_mail = Intake(
            RequestType.ACCESS, Law.GDPR, Channel.EMAIL, now - timedelta(days=27), legal_basis=LegalBasis.CONTRACT
        )
        access = create_request(officer, intake=by_mail, facts=_MAYA, identity=IdentityMethod.ACCOUNT)
        assign(officer, request_id=access.pk, assignee=officer.id)
        search = start_search(officer, request_id=access.pk).search
        by_phone = Intake(RequestType.ERASURE, Law.CCPA, Channel.PHONE, now - timedelta(days=3))
        create_request(officer, intake=by_phone, facts=_RENEE)
        by_post = Intake(RequestType.OBJECTION, Law.GDPR, Channel.LETTER, now - timedelta(days=9))
        letter = create_request(officer, intake=by_post, facts=_SOMEBODY)
        refuse(
            officer,
            request_id=letter.pk,
            ground=RefusalGround.UNIDENTIFIED,
            explanation="Nothing in the letter tells us who you are. Write to us again with your customer number.",
        )
    run_search(tenant.pk, search.pk)
    note_end(tenant.pk, search.pk)
