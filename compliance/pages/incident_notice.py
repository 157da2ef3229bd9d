"""One notice of an incident in the browser: its text in versions, and that it was sent."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from compliance.incidents.notices import MAX_BODY, MAX_REFERENCE, mark_sent, read_notice, save_notice
from compliance.incidents.selectors import may_manage
from compliance.pages.incident_forms import read_count, read_moment
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def notice_page(request: HttpRequest, incident_id: UUID, notice_id: UUID) -> HttpResponse:
    """A notice; posted, its text is saved or it is marked as sent."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, incident_id, notice_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:breach_notice", args=[incident_id, notice_id]))
    version = read_count(request.GET.get("version", ""), "version")
    notice, text = read_notice(principal, incident_id=incident_id, notice_id=notice_id, version=version)
    incident = notice.incident
    may_draft = may(principal, "incident.draft") and may_manage(principal, incident)
    context = {
        "title": f"{incident}: notice to {notice.audience}, phase {notice.phase}",
        "incident": incident,
        "notice": notice,
        "text": text,
        "body": request.POST.get("body", text.body) if refusal else text.body,
        "versions": range(1, text.number),
        "names": people_named(principal, [text.by, notice.sent_by]),
        "may_draft": may_draft and notice.sent_at is None and version is None and incident.state != "dismissed",
        "max_body": MAX_BODY,
        "max_reference": MAX_REFERENCE,
    }
    return render_page(request, "vault/breach_notice.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal, incident_id: UUID, notice_id: UUID) -> None:
    given: QueryDict = request.POST
    if given.get("do") == "save":
        follows = read_count(given.get("follows", ""), "follows") or 0
        save_notice(
            principal, incident_id=incident_id, notice_id=notice_id, body=given.get("body", ""), follows=follows
        )
        messages.success(request, "Saved as a version of its own.")
    elif given.get("do") == "sent":
        sent_at = read_moment(given.get("sent_at", ""), "sent_at")
        reference = given.get("reference", "")
        mark_sent(principal, incident_id=incident_id, notice_id=notice_id, reference=reference, sent_at=sent_at)
        messages.success(request, "Marked as sent: the clock of its audience has stopped.")
    else:
        raise InvalidInput
