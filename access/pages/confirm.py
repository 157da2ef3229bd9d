"""The page that asks who is signed in to confirm it, before something sensitive."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from access.federation.passwords import is_judged_by_directory
from access.federation.renewal import confirming_choice
from access.pages.proving import asked_of, completes_sign_in, is_half, proving_user, refused_proof, scope_of
from access.pages.second_factor import bare_page
from access.services.second_factor import has_factor
from access.services.sessions import renew_proof


@completes_sign_in
def confirm_page(request: HttpRequest) -> HttpResponse:
    """The second factor, or the password of who has none. The session goes on under another key."""
    user = proving_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    if is_half(request):
        return HttpResponseRedirect(reverse("admin:second_factor"))
    wanted = _wanted(request)
    with scope_of(request, user):
        is_able = has_factor(user.pk)
    refusal = refused_proof(request, user) if request.method == "POST" else None
    if request.method == "POST" and refusal is None:
        renew_proof(request, mfa=is_able)
        return HttpResponseRedirect(wanted)
    with scope_of(request, user):
        asked = asked_of(request, user)
        provider = confirming_choice(request)
        has_password = user.has_usable_password() or is_judged_by_directory(user)
    context = asked | {
        "provider": provider,
        "user_name": user.username,
        "wanted": wanted,
        "has_password": has_password,
    }
    return bare_page(request, "vault/confirm.html", context, refusal)


def _wanted(request: HttpRequest) -> str:
    """Where to go on to; another site's address leads home."""
    address = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours else reverse("admin:index")
