"""Releases under a guarantee: which copies are out there, and what is attested of them and of their recipients."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import RecipientAttestation, Release
from anonymization.pages.page import open_page, refusal_of, render_page
from anonymization.services.releases import (
    attest_recipient,
    attested_recipients,
    copies_out,
    known_releases,
    revoke_attestation,
    withdraw_release,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

SHOWN: Final = 100


def releases_page(request: HttpRequest) -> HttpResponse:
    """The ledger, newest first, and who is attested not to share; posted, something is attested or taken back."""
    if request.method != "POST":
        open_page(request, "release.read", ResourceRef("release"))
        return _page(request)
    acts = {"withdraw": _withdraw, "attest": _attest, "revoke": _revoke}
    act = acts.get(request.POST.get("do", ""))
    if act is None:
        raise InvalidInput
    refusal = refusal_of(lambda: act(resolve_principal(request), request.POST))
    return _page(request, refusal) if refusal else HttpResponseRedirect(reverse("admin:privacy_releases"))


def _withdraw(principal: Principal, given: QueryDict) -> None:
    withdraw_release(principal, release_id=_uuid(given.get("release", "")), reason=given.get("reason", ""))


def _attest(principal: Principal, given: QueryDict) -> None:
    day = given.get("last_day", "")
    until = _end_of(day) if day else None
    recipient = _uuid(given.get("recipient", "").strip())
    attest_recipient(principal, recipient=recipient, reason=given.get("reason", ""), expires_at=until)


def _revoke(principal: Principal, given: QueryDict) -> None:
    revoke_attestation(principal, recipient=_uuid(given.get("recipient", "")), reason=given.get("reason", ""))


def _end_of(day: str) -> datetime:
    """The midnight that ends a day, UTC."""
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(errors=[FieldProblem("/last_day", "a day as 2026-12-31")]) from None


def _page(request: HttpRequest, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    rows = known_releases(after=None, limit=SHOWN + 1)
    waiting = list(copies_out()[:SHOWN])
    attested = list(attested_recipients().order_by("created_at")[:SHOWN])
    now = timezone.now()
    context: dict[str, Any] = {
        "title": "Releases",
        "waiting": [{"row": row, "state": row.state_at(now)} for row in waiting],
        "releases": [{"row": row, "state": row.state_at(now)} for row in rows[:SHOWN]],
        "attested": attested,
        "people": people_named(principal, _acted([*waiting, *rows], attested)),
        "has_more": len(rows) > SHOWN,
        "may_manage": may(principal, "release.manage"),
        "given": request.POST,
    }
    return render_page(request, "vault/releases.html", context, refusal=refusal)


def _acted(rows: Sequence[Release], attested: Sequence[RecipientAttestation]) -> list[UUID | None]:
    """Everybody whom the page names."""
    of_releases = [who for row in rows for who in (row.recipient, row.withdrawn_by)]
    return of_releases + [who for row in attested for who in (row.recipient, row.attested_by)]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None
