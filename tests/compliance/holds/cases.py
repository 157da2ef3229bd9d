"""Holds as their services place them."""

from typing import Any
from uuid import UUID

from access.models import Tenant, User
from compliance.holds.place import Wanted, place_hold
from compliance.holds.release import confirm_release, request_release
from compliance.models import LegalHold
from datasets.models import Dataset, HoldKind
from datasets.query import parse_filter
from datasets.services.holds import HoldScope, Identifier
from tests.factories.access import acting, make_user, principal_with
from vaultsite.kernel.tenancy.principal import Principal

MATTER = "2026-CV-1042"


def counsel(tenant: Tenant, **changed: Any) -> Principal:
    return principal_with(tenant, "legal_counsel", **changed)


def custodian_of(tenant: Tenant) -> UUID:
    return make_user(tenant, "data_scientist").pk


def disabled_user(tenant: Tenant) -> UUID:
    """Somebody who cannot sign in any more."""
    user = make_user(tenant)
    with acting(tenant):
        assert User.objects.filter(pk=user.pk).update(is_active=False) == 1
    return user.pk


def whole(dataset: Dataset) -> Wanted:
    return Wanted(dataset.pk, HoldScope(HoldKind.DATASET))


def version(dataset: Dataset, label: str) -> Wanted:
    return Wanted(dataset.pk, HoldScope(HoldKind.VERSION, version=label))


def subject(dataset: Dataset, email: str) -> Wanted:
    return Wanted(dataset.pk, HoldScope(HoldKind.SUBJECT, identifiers=(Identifier("EMAIL_ADDRESS", email),)))


def query(dataset: Dataset, text: str) -> Wanted:
    return Wanted(dataset.pk, HoldScope(HoldKind.QUERY, filter=parse_filter(text)))


def place(tenant: Tenant, *wanted: Wanted, by: Principal | None = None, **changed: Any) -> LegalHold:
    facts = {"matter": MATTER, "reason": "A claim was announced", "custodian": None} | changed
    facts["custodian"] = facts["custodian"] or custodian_of(tenant)
    principal = by or counsel(tenant)
    with acting(tenant, principal):
        return place_hold(principal, wanted=wanted, **facts)


def release(tenant: Tenant, hold: LegalHold) -> LegalHold:
    """By two people."""
    first, second = counsel(tenant), counsel(tenant)
    with acting(tenant, first):
        request_release(first, hold_id=hold.pk, reason="Settled")
    with acting(tenant, second):
        return confirm_release(second, hold_id=hold.pk)
