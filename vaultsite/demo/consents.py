"""Consents of a demo tenant: three people agreed to be asked, one of them thought better of it."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from compliance.consents.people import Identifier
from compliance.consents.record import Given, record_consent
from compliance.consents.withdraw import withdraw_consent
from compliance.models import Consent
from vaultsite.demo.compliance_rules import RESEARCH
from vaultsite.demo.people import acting_as

#: Addresses of the samples, and how many days ago each person agreed.
_AGREED: Final = (
    ("maya.whitfield@example.com", 40),
    ("renee.ridley96@example.org", 21),
    ("inigo.cifuentes51@example.org", 12),
)
_YEARS: Final = timedelta(days=730)


def collect_consents(tenant: Tenant, _: dict[str, UUID]) -> None:
    """The last of them withdraws: their records are left out, and somebody decides whether they go."""
    with acting_as(tenant, "privacy-officer") as officer:
        if Consent.objects.exists():
            return
        now = timezone.now()
        for address, days in _AGREED:
            given_at = now - timedelta(days=days)
            given = Given(
                identifiers=(Identifier("EMAIL_ADDRESS", address),),
                given_at=given_at,
                source="support-form",
                expires_at=given_at + _YEARS,
                evidence="Ticked on the form after the conversation",
            )
            last = record_consent(officer, purpose=RESEARCH, given=given).consent
        withdraw_consent(officer, consent_id=last.pk, channel="e-mail")
