"""One event in the browser: what it says, its exact bytes, and what proves it."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from access.pages.page import open_page, render_page
from audit.log.errors import SigningKeyUnavailable
from audit.models import AuditEvent, WitnessReceipt
from audit.proofs.errors import AuditEventNotFound, EventNotSealed, ProofBroken
from audit.proofs.events import EventProof, find_event, prove_event
from audit.proofs.picture import Picture, draw
from audit.selectors import open_actor, read_body
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import ResourceRef


@dataclass(frozen=True)
class _Status:
    """What can be said of an event's proof now: ``state`` is proven, waiting, broken or unknown."""

    state: str
    proof: EventProof | None = None
    picture: Picture | None = None
    witnesses: tuple[WitnessReceipt, ...] = ()
    problem: VaultError | None = None


def event_page(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """One event: its exact bytes laid out, who it was, and its proof, checked now."""
    principal = open_page(request, "audit.read", ResourceRef("audit", str(event_id)))
    event = find_event(principal.tenant_id, event_id)
    if event is None:
        raise AuditEventNotFound
    body, said = bytes(event.body), read_body(event)
    context = {
        "title": event.type,
        "event": event,
        "actor": open_actor(event),
        "credential": said["actor"].get("credential", ""),
        "context": _listed(said["context"], without={"purpose", "request_id"}),
        "metadata": _listed(said["metadata"]),
        "json": orjson.dumps(said, option=orjson.OPT_INDENT_2).decode(),
        "digest": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "status": _status(principal.tenant_id, event),
        "link": request.build_absolute_uri(reverse("admin:audit_event_page", args=[event_id])),
    }
    return render_page(request, "vault/audit_event.html", context)


def event_proof_file(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """The event's proof as a file for the offline verifier. Raises AuditEventNotFound, EventNotSealed, ProofBroken."""
    principal = open_page(request, "audit.read", ResourceRef("audit", str(event_id)))
    content = prove_event(principal.tenant_id, event_id).as_file()
    return HttpResponse(
        content,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{event_id}.tlog-proof"'},
    )


def _status(tenant_id: UUID, event: AuditEvent) -> _Status:
    try:
        proof = prove_event(tenant_id, event.pk)
    except EventNotSealed:
        return _Status("waiting")
    except ProofBroken as problem:
        return _Status("broken", problem=problem)
    except SigningKeyUnavailable as problem:
        return _Status("unknown", problem=problem)
    picture = draw(proof.seq, proof.checkpoint.size, proof.path)
    receipts = WitnessReceipt.objects.filter(checkpoint=proof.checkpoint).order_by("held_at")
    return _Status("proven", proof, picture, tuple(receipts))


def _listed(members: dict[str, object], *, without: frozenset[str] | set[str] = frozenset()) -> list[tuple[str, str]]:
    """Members as words; what is no plain value as JSON."""
    return [
        (name.replace("_", " "), value if isinstance(value, str) else orjson.dumps(value).decode())
        for name, value in members.items()
        if name not in without
    ]
