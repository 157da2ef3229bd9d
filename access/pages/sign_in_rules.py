"""What the organization asks of the people who sign in."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from access.models import Role
from access.models.sign_in_policy import SESSIONS, STEP_UP_MINUTES
from access.pages.page import open_page, refusal_of, render_page
from access.services.assurance import sign_in_rules
from access.services.authorize import may
from access.services.sign_in_rules import CLASSIFICATIONS, set_sign_in_rules
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal


def _role_choices() -> list[tuple[str, str]]:
    return [(role.code, role.name) for role in Role.objects.order_by("name")]


class RulesForm(forms.Form):
    """The rules as a form."""

    mfa_roles = forms.MultipleChoiceField(
        label="Roles that sign in with a second factor",
        choices=_role_choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Who holds one of them and has no second factor adds one before any other page opens.",
    )
    mfa_classifications = forms.MultipleChoiceField(
        label="Data released after a second factor alone",
        choices=[(name, name) for name in CLASSIFICATIONS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="For people. Programs prove themselves with every request.",
    )
    step_up_minutes = forms.IntegerField(
        label="Minutes a proof stands for sensitive acts",
        min_value=STEP_UP_MINUTES[0],
        max_value=STEP_UP_MINUTES[1],
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="After that, changes of keys, people, roles and these rules ask to confirm once more.",
    )
    max_sessions = forms.IntegerField(
        label="Browsers one person is signed in with at once",
        min_value=SESSIONS[0],
        max_value=SESSIONS[1],
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="One more signs the least recently used one out.",
    )


def sign_in_rules_page(request: HttpRequest) -> HttpResponse:
    """Show the rules, and change them."""
    principal = resolve_principal(request)
    rules = sign_in_rules()
    initial = {
        "mfa_roles": sorted(rules.mfa_roles),
        "mfa_classifications": sorted(rules.mfa_classifications),
        "step_up_minutes": int(rules.step_up.total_seconds()) // 60,
        "max_sessions": rules.max_sessions,
    }
    form = RulesForm(request.POST or None, initial=initial)
    refusal = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        refusal = refusal_of(lambda: set_sign_in_rules(principal, **given))
        if refusal is None:
            messages.success(request, "The rules hold from the next request on.")
            return HttpResponseRedirect(reverse("admin:sign_in_rules"))
    else:
        open_page(request, "signin.read", ResourceRef("signin_policy"))
    context = {"title": "Sign-in rules", "form": form, "is_changeable": may(principal, "signin.manage")}
    return render_page(request, "vault/sign_in_rules.html", context, refusal=refusal)
