"""Releases under a guarantee: which may still be out there, and taking one out of the ledger."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import RecipientAttestation, Release
from anonymization.pages.page import open_page, refusal_of, render_page
from anonymization.services.releases import attested_recipients, known_releases, withdraw_release
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

SHOWN: Final = 100


def releases_page(request: HttpRequest) -> HttpResponse:
    """The ledger, newest first; posted, a release is withdrawn."""
    if request.method != "POST":
        open_page(request, "release.read", ResourceRef("release"))
        return _page(request)
    principal = resolve_principal(request)
    reason, release_id = request.POST.get("reason", ""), _uuid(request.POST.get("release", ""))
    refusal = refusal_of(lambda: withdraw_release(principal, release_id=release_id, reason=reason))
    return _page(request, refusal) if refusal else HttpResponseRedirect(reverse("admin:privacy_releases"))


def _page(request: HttpRequest, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    rows = known_releases(after=None, limit=SHOWN + 1)
    attested = list(attested_recipients().order_by("created_at")[:SHOWN])
    now = timezone.now()
    context: dict[str, Any] = {
        "title": "Releases",
        "releases": [{"row": row, "state": row.state_at(now)} for row in rows[:SHOWN]],
        "attested": attested,
        "people": people_named(principal, _acted(rows, attested)),
        "has_more": len(rows) > SHOWN,
        "may_manage": may(principal, "budget.manage"),
    }
    return render_page(request, "vault/releases.html", context, refusal=refusal)


def _acted(rows: Sequence[Release], attested: Sequence[RecipientAttestation]) -> list[UUID | None]:
    """Everybody whom the page names."""
    return [*(row.recipient for row in (*rows, *attested)), *(row.withdrawn_by for row in rows)]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None
