"""Searches for people and their erasure, the workers' parts done here."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from access.models import Tenant
from compliance.models import LegalBasis, SubjectErasure, SubjectMatch, SubjectSearch
from compliance.subjects.erase import parts_of, start_subject_erasure
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.identifiers import Identifier
from compliance.subjects.search import start_subject_search
from compliance.subjects.sweep import run_search
from datasets.services.erasure.work import run_erasure
from tests.factories.access import acting
from tests.factories.datasets import someone
from tests.factories.upkeep import again

EMAIL = "ada.byron@example.com"
PHONE = "+49 30 1234567"
NAME = "Ada Byron"
ADA = (Identifier("EMAIL_ADDRESS", EMAIL), Identifier("PHONE_NUMBER", PHONE), Identifier("PERSON", NAME))

#: What of her is in a dataset, and what only looks like it.
ROWS = [
    {"id": "mail", "text": f"Write to {EMAIL} about it."},
    {"id": "phone", "text": "Her number is +49-30-123 45 67."},
    {"id": "name", "text": f"{NAME} wrote the first program."},
    {"id": "other", "text": "Nobody is in here, nobody at all."},
    {"id": "like", "text": "Write to nada.byron@example.com about it."},
]


def queue_search(tenant: Tenant, identifiers: Iterable[Identifier] = ADA, **facts: Any) -> SubjectSearch:
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        return start_subject_search(officer, identifiers=list(identifiers), **facts)


def search_for(tenant: Tenant, identifiers: Iterable[Identifier] = ADA) -> SubjectSearch:
    search = queue_search(tenant, identifiers)
    run_search(tenant.pk, search.pk)
    return again(tenant, search)


def matches_of(tenant: Tenant, search: SubjectSearch) -> list[SubjectMatch]:
    with acting(tenant):
        return list(SubjectMatch.objects.filter(search=search).order_by("id"))


def queue_erasure_of(tenant: Tenant, search: SubjectSearch, **facts: Any) -> SubjectErasure:
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        basis = facts.pop("legal_basis", LegalBasis.CONSENT_WITHDRAWN)
        return start_subject_erasure(officer, search_id=search.pk, legal_basis=basis, **facts)


def run_parts(tenant: Tenant, erasure: SubjectErasure) -> None:
    """What workers do in the datasets meanwhile."""
    for record_erasure in _record_erasures(tenant, erasure):
        run_erasure(tenant.pk, record_erasure)


def _record_erasures(tenant: Tenant, erasure: SubjectErasure) -> list[UUID]:
    with acting(tenant):
        return [part.record_erasure for part in parts_of(erasure) if part.record_erasure]


def erase_person(tenant: Tenant, search: SubjectSearch) -> SubjectErasure:
    erasure = queue_erasure_of(tenant, search)
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    return again(tenant, erasure)
