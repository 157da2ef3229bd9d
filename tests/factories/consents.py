"""Purposes that rest on consent, and the consents people give."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access.models import Tenant
from compliance.consents.people import Identifier
from compliance.consents.purposes import Terms, change_purpose
from compliance.consents.record import Given, Recorded, record_consent
from compliance.consents.withdraw import Withdrawn, withdraw_of_person
from tests.factories.access import acting, principal_with
from tests.factories.datasets import PURPOSE


def mail(value: str) -> Identifier:
    return Identifier("EMAIL_ADDRESS", value)


def rest_on_consent(tenant: Tenant, purpose: str = PURPOSE, **terms: Any) -> None:
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        change_purpose(officer, code=purpose, terms=Terms(**{"lawful_basis": "consent", "note": "asked for"} | terms))


def agree(
    tenant: Tenant,
    *identifiers: Identifier,
    purpose: str = PURPOSE,
    given_at: datetime | None = None,
    expires_at: datetime | None = None,
    evidence: str = "",
) -> Recorded:
    officer = principal_with(tenant, "privacy_officer")
    given = Given(
        identifiers, given_at or timezone.now() - timedelta(seconds=1), "form", expires_at=expires_at, evidence=evidence
    )
    with acting(tenant, officer):
        return record_consent(officer, purpose=purpose, given=given)


def withdraw(tenant: Tenant, *identifiers: Identifier, purpose: str = PURPOSE) -> Withdrawn:
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        return withdraw_of_person(officer, purpose=purpose, identifiers=identifiers, channel="form")
