"""People, programs, roles, purposes and keys in the browser. Everything is written by the services."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display as labelled
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from access.key_admin import ApiKeyAdmin
from access.model_admin import ReadOnlyAdmin, ServiceForm, VaultModelAdmin
from access.models import ApiKey, EncryptionKey, Purpose, Role, RoleBinding, User
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.grants import bind_role, revoke_binding
from access.services.users import create_user, set_password
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope


def _role_choices() -> list[tuple[str, str]]:
    return [(role.code, f"{role.name}: {role.description}") for role in Role.objects.order_by("name")]


class UserForm(ServiceForm):
    """A new person."""

    password = forms.CharField(
        strip=False,
        max_length=1024,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="At least 12 characters. The user is asked for a new one at the first sign-in.",
    )
    roles = forms.MultipleChoiceField(
        choices=_role_choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Without a role nobody can sign in.",
    )

    class Meta:
        model = User
        fields = ("username", "full_name", "email")


class NewPasswordForm(forms.Form):
    """A password set by somebody else, to be changed at the next sign-in."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=1024,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="At least 12 characters. Every session of the user ends; the next sign-in asks for a new password.",
    )


@admin.register(User)
class UserAdmin(VaultModelAdmin):
    """Made, disabled and enabled; never edited or deleted: the audit names them."""

    read_action = "user.read"
    resource_type = "user"
    form = UserForm
    list_display = ("username", "full_name", "roles_held", "state", "created_at")
    list_filter = ("is_active",)
    search_fields = ("username__startswith", "full_name__startswith")
    ordering = ("username",)
    readonly_fields = ("roles_held", "state", "created_at")
    change_form_outer_after_template = "vault/user_actions.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        mine = [
            path("<uuid:user_id>/disable/", view(self.disable), name="access_user_disable"),
            path("<uuid:user_id>/enable/", view(self.enable), name="access_user_enable"),
            path("<uuid:user_id>/password/", view(self.new_password), name="access_user_password"),
        ]
        return mine + super().get_urls()  # type: ignore[no-any-return]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("username", "full_name", "email", "password", "roles")
        return ("username", "full_name", "email", "roles_held", "state", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("bindings", RoleBinding.objects.live().select_related("role")))
        )

    @display(description="roles")
    def roles_held(self, user: User) -> str:
        return ", ".join(sorted(binding.role.name for binding in user.bindings.all())) or "none"

    @labelled(description="state", label={"active": "success", "disabled": "danger", "must change password": "warning"})  # type: ignore[untyped-decorator]
    def state(self, user: User) -> str:
        if not user.is_active:
            return "disabled"
        return "must change password" if user.must_change_password else "active"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = create_user(
            resolve_principal(request),
            username=given["username"],
            password=given["password"],
            roles=given["roles"],
            full_name=given["full_name"],
            email=given["email"],
            must_change_password=True,
        )
        obj.pk = made.pk

    def disable(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """End a person's access now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        deactivate_user(resolve_principal(request), user_id=user_id)
        messages.success(request, "The user is disabled, and every session has ended.")
        return HttpResponseRedirect(reverse("admin:person", args=[user_id]))

    def enable(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Let a disabled person in again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        reactivate_user(resolve_principal(request), user_id=user_id)
        messages.success(request, "The user is enabled.")
        return HttpResponseRedirect(reverse("admin:person", args=[user_id]))

    def new_password(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Give a person a password to begin with."""
        form = NewPasswordForm(request.POST or None)
        status = 200
        if form.is_valid():
            try:
                set_password(resolve_principal(request), user_id=user_id, password=form.cleaned_data["password"])
            except VaultError as refusal:
                if not refusal.errors:
                    raise
                current_scope().fail(refusal)
                form.add_error("password", [problem.detail for problem in refusal.errors])
                status = refusal.status
            else:
                messages.success(request, "The new password is set, and every session has ended.")
                return HttpResponseRedirect(reverse("admin:access_user_change", args=[user_id]))
        context = self.admin_site.each_context(request) | {"title": "New password", "form": form}
        return TemplateResponse(request, "vault/new_password.html", context, status=status)


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """What each role permits."""

    read_action = "role.read"
    resource_type = "role"
    list_display = ("name", "code", "description", "is_builtin")
    ordering = ("name",)
    fields = ("name", "code", "description", "is_builtin", "permissions_held")
    readonly_fields = ("permissions_held",)

    @display(description="permissions")
    def permissions_held(self, role: Role) -> str:
        return format_html_join("", '<span class="chip">{}</span> ', ((name,) for name in role.permissions))


class BindingForm(ServiceForm):
    """A role for a person, until a day or for good."""

    username = forms.CharField(label="User name", max_length=150, widget=UnfoldAdminTextInputWidget())
    role_code = forms.ChoiceField(label="Role", choices=_role_choices, widget=UnfoldAdminSelectWidget())

    class Meta:
        model = RoleBinding
        fields = ("expires_at",)

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"]).first()
        if user is None:
            raise forms.ValidationError("There is no such user.")
        return user


@admin.register(RoleBinding)
class RoleBindingAdmin(VaultModelAdmin):
    """Who holds which role. Given and taken away, never edited."""

    read_action = "role.read"
    resource_type = "role_binding"
    form = BindingForm
    list_display = ("holder", "role_name", "expires_at", "granted_at")
    list_select_related = ("user", "group", "api_key", "service_account", "role")
    list_filter = ("role__code",)
    search_fields = ("user__username__startswith", "api_key__name__startswith")
    ordering = ("-granted_at",)
    readonly_fields = ("holder", "role_name", "granted_at", "granted_by")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("username", "role_code", "expires_at")
        return ("holder", "role_name", "expires_at", "granted_at", "granted_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="holder", ordering="user__username")
    def holder(self, binding: RoleBinding) -> str:
        if binding.service_account:
            return f"service account {binding.service_account}"
        if binding.group:
            return f"group {binding.group}"
        return binding.user.username if binding.user else f"API key {binding.api_key}"

    @display(description="role", ordering="role__name")
    def role_name(self, binding: RoleBinding) -> str:
        return str(binding.role)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = bind_role(
            resolve_principal(request),
            role=given["role_code"],
            user_id=given["username"].pk,
            expires_at=given["expires_at"],
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        revoke_binding(resolve_principal(request), binding_id=obj.pk)


admin.site.register(ApiKey, ApiKeyAdmin)


@admin.register(Purpose)
class PurposeAdmin(ReadOnlyAdmin):
    """For what data may be read."""

    read_action = "purpose.read"
    resource_type = "purpose"
    list_display = ("code", "description", "is_active")
    ordering = ("code",)
    fields = ("code", "description", "is_active")


@admin.register(EncryptionKey)
class EncryptionKeyAdmin(ReadOnlyAdmin):
    """Which keys there are, and their state; never the keys."""

    read_action = "key.read"
    resource_type = "encryption_key"
    list_display = (
        "short_id",
        "purpose",
        "version",
        "state_label",
        "scope",
        "kms_provider",
        "created_at",
        "expires_at",
    )
    list_filter = ("purpose", "state")
    ordering = ("-created_at",)
    fields = (
        "id", "purpose", "version", "state_label", "scope", "wrapped_by_id", "kms_provider", "kms_key_id",
        "kms_key_version", "created_at", "expires_at",
    )  # fmt: skip
    readonly_fields = ("id", "state_label", "scope", "wrapped_by_id")

    @display(description="key")
    def short_id(self, key: EncryptionKey) -> str:
        return format_html("<code>{}</code>", str(key.pk)[-12:])

    @labelled(description="state", label={"active": "success", "decrypt only": "info", "destroyed": "danger"})  # type: ignore[untyped-decorator]
    def state_label(self, key: EncryptionKey) -> str:
        return str(key.get_state_display())

    @display(description="belongs to")
    def scope(self, key: EncryptionKey) -> str:
        return "the organization" if key.scope_id == key.tenant_id else f"dataset {key.scope_id}"

    @display(description="KMS")
    def kms(self, key: EncryptionKey) -> str:
        return key.kms_provider
