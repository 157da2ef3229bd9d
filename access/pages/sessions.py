"""Who is signed in where, for those who may sign others out."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import User
from access.pages.agents import named_browser
from access.pages.page import refusal_of, render_page
from access.services.browsers import MOST_LISTED, all_sessions, revoke_session, revoke_sessions_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def sessions_page(request: HttpRequest) -> HttpResponse:
    """Live sessions of the organization, or of the person named in the query; one or all of a person's are ended."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _end(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:sessions"))
    user_id = _uuid(request.GET["user"]) if request.GET.get("user") else None
    browsers = all_sessions(principal, user_id=user_id)
    context = {
        "title": "Sessions",
        "browsers": [(one, named_browser(one.agent)) for one in browsers],
        "person": User.objects.filter(pk=user_id).first() if user_id else None,
        "present": principal.session_id,
        "is_cut": len(browsers) >= MOST_LISTED,
    }
    return render_page(request, "vault/sessions.html", context, refusal=refusal)


def _end(request: HttpRequest, principal: Principal) -> None:
    if request.POST.get("act") == "end_all":
        count = revoke_sessions_of(principal, user_id=_uuid(request.POST.get("user", "")))
        messages.success(request, f"{count} session{'' if count == 1 else 's'} ended.")
        return
    revoke_session(principal, session_id=_uuid(request.POST.get("id", "")))
    messages.success(request, "The session has ended.")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
