"""API keys in the browser: made, shown once, replaced, revoked."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import display
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display as labelled
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from access.model_admin import ServiceForm, VaultModelAdmin
from access.models import ApiKey, Role, RoleBinding, ServiceAccount
from access.models.api_key import USUAL_RATE
from access.policy.builtin import RULES
from access.policy.scopes import ADMIN, EXPORT, READ, SCIM, WRITE
from access.selectors import known_purposes
from access.services.api_keys import (
    HIGHEST_RATE,
    LONGEST_DAYS,
    USUAL_OVERLAP,
    KeyLimits,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from vaultsite.kernel.tenancy.ports import resolve_principal

_SETS = (
    (READ, "vault:read: what exists, and records as its roles show them"),
    (WRITE, "vault:write: datasets, records, branches"),
    (EXPORT, "vault:export: files to take away"),
    (SCIM, "vault:scim: people and groups, as a directory provisions them"),
    (ADMIN, "vault:admin: people, roles, keys, policies, the audit"),
)


def _roles() -> list[tuple[str, str]]:
    return [(role.code, f"{role.name}: {role.description}") for role in Role.objects.order_by("name")]


def _accounts() -> list[tuple[str, str]]:
    accounts = ServiceAccount.objects.filter(is_active=True).order_by("name").values_list("pk", "name")
    return [("", "none: the key has roles of its own"), *((str(pk), name) for pk, name in accounts)]


class LinesField(forms.CharField):
    """One value a line."""

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]


class ApiKeyForm(ServiceForm):
    """A new key."""

    account = forms.ChoiceField(
        choices=_accounts,
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="The program it proves; then it has that account's roles.",
    )
    roles = forms.MultipleChoiceField(choices=_roles, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget())
    default_purpose = forms.ChoiceField(
        choices=lambda: [("", "none: each request states its own"), *((code, code) for code in known_purposes())],
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Used when a request states no purpose.",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=LONGEST_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=f"Days until it expires, at most {LONGEST_DAYS}.",
    )
    requests_per_minute = forms.IntegerField(
        min_value=1,
        max_value=HIGHEST_RATE,
        initial=USUAL_RATE,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="More are answered with 429 until a token is free again.",
    )
    allowed_networks = LinesField(
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="One a line, as 192.0.2.0/24. None: from anywhere.",
    )
    datasets = LinesField(
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="Ids of the datasets it is for, one a line. None: all that its roles reach.",
    )
    scopes = forms.MultipleChoiceField(
        choices=lambda: [*_SETS, *((action, action) for action in sorted(RULES))],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Only these, of what the roles permit: sets of actions, or single ones. None chosen: everything.",
    )

    class Meta:
        model = ApiKey
        fields = ("name",)

    def clean_datasets(self) -> list[UUID]:
        try:
            return [UUID(text) for text in self.cleaned_data["datasets"]]
        except ValueError:
            raise forms.ValidationError("One id a line.") from None


class ApiKeyAdmin(VaultModelAdmin):
    """Credentials of programs. The key itself is shown once, when it is made."""

    read_action = "apikey.read"
    resource_type = "api_key"
    form = ApiKeyForm
    list_display = ("name", "holder", "state", "expires_at", "last_used_at")
    list_select_related = ("service_account",)
    search_fields = ("name__startswith",)
    ordering = ("-created_at",)
    readonly_fields = ("holder", "state", "scopes_held", "networks", "datasets_held", "takes_over_from")
    change_form_outer_after_template = "vault/api_key_actions.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:key_id>/revoke/", view(self.revoke), name="access_apikey_revoke"),
            path("<uuid:key_id>/rotate/", view(self.rotate), name="access_apikey_rotate"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return (
                "name", "account", "roles", "days", "default_purpose", "requests_per_minute",
                "allowed_networks", "datasets", "scopes",
            )  # fmt: skip
        return (
            "name", "holder", "scopes_held", "networks", "datasets_held", "requests_per_minute", "default_purpose",
            "state", "expires_at", "last_used_at", "created_at", "takes_over_from",
        )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        live = Prefetch("bindings", RoleBinding.objects.live().select_related("role"))
        return super().get_queryset(request).prefetch_related(live)

    @display(description="speaks for")
    def holder(self, key: ApiKey) -> str:
        if key.service_account is not None:
            return str(key.service_account)
        return ", ".join(sorted(binding.role.name for binding in key.bindings.all())) or "nobody"

    @display(description="scopes")
    def scopes_held(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "everything its roles permit"

    @display(description="networks")
    def networks(self, key: ApiKey) -> str:
        return ", ".join(key.allowed_networks) or "anywhere"

    @display(description="datasets")
    def datasets_held(self, key: ApiKey) -> str:
        return ", ".join(key.datasets) or "all that its roles reach"

    @display(description="takes over from")
    def takes_over_from(self, key: ApiKey) -> str:
        return str(key.predecessor_id or "no other key")

    @labelled(description="state", label={"live": "success", "revoked": "danger", "expired": "warning"})  # type: ignore[untyped-decorator]
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        return "live" if key.expires_at > timezone.now() else "expired"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        key, token = create_api_key(
            resolve_principal(request),
            name=given["name"],
            roles=given["roles"],
            default_purpose=given["default_purpose"],
            days=given["days"],
            service_account_id=UUID(given["account"]) if given["account"] else None,
            limits=KeyLimits(
                scopes=given["scopes"],
                allowed_networks=given["allowed_networks"],
                datasets=given["datasets"],
                requests_per_minute=given["requests_per_minute"],
            ),
        )
        obj.pk = key.pk
        request.vault_new_token = token  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The key, this once. It is in no redirect, no session and no message."""
        return self._shown_once(request, obj, request.vault_new_token)  # type: ignore[attr-defined]

    def rotate(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        """A successor, shown once; the key goes on for a day, or as the form says."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        hours = request.POST.get("overlap_hours", "")
        overlap = timedelta(hours=int(hours)) if hours.isdecimal() and len(hours) <= 3 else USUAL_OVERLAP  # noqa: PLR2004 - digits of a week in hours
        key, token = rotate_api_key(resolve_principal(request), key_id=key_id, overlap=overlap)
        return self._shown_once(request, key, token)

    def revoke(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        """The key stops working with the next request."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        revoke_api_key(resolve_principal(request), key_id=key_id)
        messages.success(request, "The key is revoked.")
        return HttpResponseRedirect(reverse("admin:access_apikey_change", args=[key_id]))

    def _shown_once(self, request: HttpRequest, key: ApiKey, token: str) -> HttpResponse:
        context = self.admin_site.each_context(request) | {"title": "Your new API key", "token": token, "key": key}
        return TemplateResponse(request, "vault/api_key_made.html", context)
