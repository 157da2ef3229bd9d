"""The verification of the log in the browser, and the log itself: checkpoints, witnesses, keys."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from audit.archive.overview import months_overview
from audit.log.errors import SigningKeyUnavailable
from audit.log.status import sealing_status
from audit.models import AuditVerification, WitnessReceipt
from audit.proofs import verify_export
from audit.proofs.bundle import public_keys
from audit.proofs.damage import Finding
from audit.proofs.events import list_checkpoints
from audit.proofs.jobs import get_verification, list_verifications, start_verification
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: Checkpoints shown on one page.
PAGE_SIZE: Final = 20
_TEXT: Final = "text/plain; charset=utf-8"


def verifications_page(request: HttpRequest) -> HttpResponse:
    """What the last verification found, and those before; posted, a new one starts."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: start_verification(principal))
        if refusal is None:
            messages.success(request, "The verification has been queued.")
            return HttpResponseRedirect(reverse("admin:verifications"))
    runs = list_verifications(principal)
    context = {
        "title": "Verification",
        "runs": runs,
        "names": people_named(principal, [run.requested_by for run in runs]),
        "is_running": any(not run.is_final for run in runs),
        **_facts(runs[0] if runs else None),
    }
    return render_page(request, "vault/verifications.html", context, refusal=refusal)


def verification_page(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """One verification."""
    principal = resolve_principal(request)
    run = get_verification(principal, verification_id=verification_id)
    names = people_named(principal, [run.requested_by])
    context = {"title": "Verification", "names": names, **_facts(run)}
    return render_page(request, "vault/verification.html", context)


def _facts(run: AuditVerification | None) -> dict[str, Any]:
    findings = [Finding.from_json(one) for one in run.findings] if run else []
    is_done = run is not None and run.status == JobStatus.SUCCEEDED
    return {"run": run, "findings": findings, "first": next(iter(findings), None), "is_done": is_done}


def log_page(request: HttpRequest) -> HttpResponse:
    """How long the log is, what was signed, who outside holds it, and with which keys it is checked."""
    principal = open_page(request, "audit.read", ResourceRef("audit"))
    below = _below(request)
    found = list_checkpoints(principal.tenant_id, limit=PAGE_SIZE + 1, below=below)
    shown = found[:PAGE_SIZE]
    receipts: dict[UUID, list[WitnessReceipt]] = {}
    for receipt in WitnessReceipt.objects.filter(checkpoint__in=shown).order_by("witness"):
        receipts.setdefault(receipt.checkpoint_id, []).append(receipt)
    context = {
        "title": "Audit log",
        "sealing": sealing_status(),
        "rows": [(checkpoint, receipts.get(checkpoint.pk, [])) for checkpoint in shown],
        "next_below": shown[-1].size if len(found) > PAGE_SIZE else None,
        "is_first_page": below is None,
        "months": months_overview(principal.tenant_id),
        "may_verify": may(principal, "audit.verify"),
        **_keys(principal),
    }
    return render_page(request, "vault/audit_log.html", context)


def _keys(principal: Principal) -> dict[str, Any]:
    try:
        return {"keys": public_keys(principal.tenant_id).splitlines()}
    except SigningKeyUnavailable as problem:
        return {"keys": [], "key_problem": problem}


def _below(request: HttpRequest) -> int | None:
    text = request.GET.get("below", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - a bigint
        raise InvalidInput
    return int(text)


def log_keys_file(request: HttpRequest) -> HttpResponse:
    """The public keys as a file for the offline verifier."""
    principal = open_page(request, "audit.read", ResourceRef("audit"))
    return _file(public_keys(principal.tenant_id), "audit-keys.txt")


def verifier_file(request: HttpRequest) -> HttpResponse:
    """The offline verifier itself."""
    open_page(request, "audit.read", ResourceRef("audit"))
    return _file(Path(verify_export.__file__).read_text("utf-8"), "verify_export.py")


def _file(content: str, name: str) -> HttpResponse:
    return HttpResponse(content, content_type=_TEXT, headers={"Content-Disposition": f'attachment; filename="{name}"'})
