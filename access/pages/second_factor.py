"""The pages between a password and being signed in: show a second factor, or add one first."""

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse

from access.auth.sessions import MFA_KEY, WANTED_KEY
from access.errors import TooManyAttempts
from access.factors import totp, webauthn
from access.factors.errors import FactorRefused, SecurityKeysUnavailable, TooManyFactors
from access.models import User
from access.pages.proving import (
    asked_of,
    completes_sign_in,
    is_half,
    new_challenge,
    proving_user,
    refused_proof,
    relying_party,
    required_party,
    scope_of,
    take_challenge,
)
from access.selectors import current_tenant
from access.services.assurance import needs_second_factor, require_step_up, sign_in_rules
from access.services.second_factor import add_app, add_key, credentials_of, expect_no_factor, has_factor
from access.services.sessions import start_session
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

#: The seed of an app that is being added, in the session alone until a code has shown that the app has it.
_SEED_KEY: Final = "vault_new_seed"
_ISSUER: Final = "LLM Data Vault"


@completes_sign_in
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Show a second factor, and be signed in."""
    user = proving_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    if not is_half(request) and request.session.get(MFA_KEY):
        return HttpResponseRedirect(reverse("admin:index"))
    with scope_of(request, user):
        is_able = has_factor(user.pk)
    if not is_able:
        return HttpResponseRedirect(reverse("admin:add_factor"))
    refusal = refused_proof(request, user) if request.method == "POST" else None
    if request.method == "POST" and refusal is None:
        wanted = _wanted(request)
        start_session(request, user, mfa=True)
        return HttpResponseRedirect(wanted)
    with scope_of(request, user):
        context = asked_of(request, user)
    return bare_page(request, "vault/second_factor.html", context | {"user_name": user.username}, refusal)


@completes_sign_in
def add_factor_page(request: HttpRequest) -> HttpResponse:
    """Add an authenticator app or a security key: one's first before anything else opens, or a further one."""
    user = proving_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    is_first_step = _is_first_step(request, user)
    if is_first_step is None:
        return HttpResponseRedirect(reverse("admin:second_factor"))
    refusal: VaultError | None = None
    if request.method == "POST":
        try:
            codes = _add(request, user)
        except (FactorRefused, InvalidInput, SecurityKeysUnavailable, TooManyAttempts, TooManyFactors) as refused:
            refusal = refused
        else:
            return _added(request, user, codes)
    return _form(request, user, refusal, is_first_step=is_first_step)


def _is_first_step(request: HttpRequest, user: User) -> bool | None:
    """Whether adding a factor completes the sign-in; None where the user has to show one instead.

    Who is signed in wholly has to have proved that of late; raises StepUpRequired.
    """
    with scope_of(request, user):
        is_able, is_asked, rules = has_factor(user.pk), needs_second_factor(user.live_roles()), sign_in_rules()
    if is_able and not is_proved(request):
        return None
    if is_half(request) or (is_asked and not is_proved(request)):
        return True
    require_step_up(resolve_principal(request), rules.step_up)
    return False


def is_proved(request: HttpRequest) -> bool:
    """Whether the browser is signed in with a second factor."""
    return bool(request.session.get(MFA_KEY)) and not is_half(request)


def _add(request: HttpRequest, user: User) -> list[str]:
    name = request.POST.get("name", "")
    with scope_of(request, user):
        if not is_proved(request):
            expect_no_factor(user)
        if request.POST.get("act") == "key":
            party, challenge = required_party(request), take_challenge(request, "make")
            response = request.POST.get("response", "")
            return add_key(user, party=party, challenge=challenge, response=response, name=name)
        seed = bytes.fromhex(request.session.get(_SEED_KEY, ""))
        if not seed:
            raise FactorRefused
        return add_app(user, seed=seed, code=request.POST.get("code", "")[:100], name=name)


def _added(request: HttpRequest, user: User, codes: list[str]) -> HttpResponse:
    """Signed in with the new factor; the recovery codes, if there are new ones, this once."""
    is_half_way = is_half(request)
    wanted = _wanted(request) if is_half_way else reverse("admin:account")
    start_session(request, user, mfa=True)
    if not codes:
        return HttpResponseRedirect(wanted)
    return bare_page(request, "vault/recovery_codes.html", {"codes": codes, "wanted": wanted})


def _form(request: HttpRequest, user: User, refusal: VaultError | None, *, is_first_step: bool) -> HttpResponse:
    seed = bytes.fromhex(request.session.get(_SEED_KEY, "")) or totp.new_seed()
    request.session[_SEED_KEY] = seed.hex()
    party = relying_party(request)
    with scope_of(request, user):
        uri = totp.enrolment_uri(seed, issuer=_ISSUER, account=f"{user.username} ({current_tenant().name})")
        options = ""
        if party is not None:
            options = webauthn.creation_options(
                party,
                challenge=new_challenge(request, "make"),
                user_id=user.pk,
                username=user.username,
                known=credentials_of(user.pk),
            )
    context = {
        "qr": totp.qr_image(uri),
        "seed": totp.spelled(seed),
        "key_options": options,
        "is_first_step": is_first_step,
        "name": request.POST.get("name", ""),
    }
    return bare_page(request, "vault/add_factor.html", context, refusal)


def bare_page(
    request: HttpRequest, template: str, context: dict[str, Any], refusal: VaultError | None = None
) -> HttpResponse:
    """A page outside the frame of the site, as before signing in."""
    request.user = AnonymousUser()  # no scope is open in which the frame could ask what somebody may do
    frame = admin.site.each_context(request)
    frame |= {"scripts": [*frame["scripts"], static("vault/webauthn.js")], "refusal": refusal}
    problems = {problem.field: problem.detail for problem in refusal.errors} if refusal else {}
    status = refusal.status if refusal else 200
    answer = TemplateResponse(request, template, frame | context | {"problems": problems}, status=status)
    answer["Cache-Control"] = "no-store"
    if refusal is not None and refusal.retry_after is not None:
        answer["Retry-After"] = str(refusal.retry_after)
    return answer


def _wanted(request: HttpRequest) -> str:
    """The address that was asked for at the beginning; checked when it was kept."""
    return str(request.session.get(WANTED_KEY) or reverse("admin:index"))
