"""Roles in the browser: what each permits, side by side; and those of the organization's own, made and changed."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import Role, RoleBinding
from access.pages.page import refusal_of, render_page
from access.policy.builtin import PERMISSIONS, RULES
from access.selectors import may
from access.services.roles import change_role, create_role, delete_role, get_role, inherited_directly, list_roles
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class Line:
    """A permission, the actions it is enough for, and for each role shown whether it permits it."""

    permission: str
    actions: tuple[str, ...]
    marks: tuple[tuple[str, bool], ...] = ()


def roles_page(request: HttpRequest) -> HttpResponse:
    """Every role, and which permits what."""
    principal = resolve_principal(request)
    roles = list_roles(principal)
    held = Counter(RoleBinding.objects.live().values_list("role_id", flat=True))
    context = {
        "title": "Roles",
        "roles": [(role, held[role.pk]) for role in roles],
        "matrix": _matrix(roles),
        "may_manage": may(principal, "role.manage"),
    }
    return render_page(request, "vault/roles.html", context)


def new_role_page(request: HttpRequest) -> HttpResponse:
    """The form for a role of the organization's own."""
    principal = resolve_principal(request)
    refusal: VaultError | None = None
    made: list[Role] = []
    if request.method == "POST":
        refusal = refusal_of(
            lambda: made.append(
                create_role(
                    principal,
                    code=request.POST.get("code", "").strip(),
                    name=request.POST.get("name", "").strip(),
                    description=request.POST.get("description", "").strip(),
                    permissions=request.POST.getlist("permissions"),
                    inherits=request.POST.getlist("inherits"),
                )
            )
        )
        if refusal is None:
            messages.success(request, "The role is made. Give it to people or groups.")
            return HttpResponseRedirect(reverse("admin:role", args=[made[0].pk]))
    context = {
        "title": "New role",
        "given": request.POST,
        "may_manage": may(principal, "role.manage"),
        **_offered(
            principal, request.POST.getlist("permissions"), request.POST.getlist("inherits"), list_roles(principal)
        ),
    }
    return render_page(request, "vault/role_form.html", context, refusal=refusal)


def role_page(request: HttpRequest, role_id: UUID) -> HttpResponse:
    """One role: what it permits and by which way, and, of the organization's own, the form that changes it."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _change(request, principal, role_id))
        if refusal is None:
            is_gone = request.POST.get("act") == "delete"
            return HttpResponseRedirect(reverse("admin:roles") if is_gone else reverse("admin:role", args=[role_id]))
    role = get_role(principal, role_id=role_id)
    is_own = not role.is_builtin
    is_back = refusal is not None and request.POST.get("act") == "change"
    permissions = request.POST.getlist("permissions") if is_back else role.own_permissions
    inherits = request.POST.getlist("inherits") if is_back else inherited_directly(role)
    context = {
        "title": role.name,
        "role": role,
        "lines": [Line(name, _actions(name)) for name in role.permissions],
        "holders": RoleBinding.objects.live().filter(role=role).count(),
        "given": request.POST if is_back else role,
        "may_manage": may(principal, "role.manage") and is_own,
    }
    others = [one for one in Role.objects.order_by("-is_builtin", "name") if one.pk != role.pk]
    return render_page(
        request, "vault/role.html", context | _offered(principal, permissions, inherits, others), refusal=refusal
    )


def _change(request: HttpRequest, principal: Principal, role_id: UUID) -> None:
    act = request.POST.get("act", "")
    if act == "delete":
        delete_role(principal, role_id=role_id)
        messages.success(request, "The role is gone.")
    elif act == "change":
        change_role(
            principal,
            role_id=role_id,
            name=request.POST.get("name", "").strip(),
            description=request.POST.get("description", "").strip(),
            permissions=request.POST.getlist("permissions"),
            inherits=request.POST.getlist("inherits"),
        )
        messages.success(request, "The role is changed, for everybody who holds it.")
    else:
        raise Http404


def _offered(
    principal: Principal, permissions: Collection[str], inherits: Collection[str], roles: Sequence[Role]
) -> dict[str, object]:
    """What the form offers: what the principal holds, and what is in the role already."""
    names = sorted(PERMISSIONS & (principal.permissions | set(permissions)))
    parents = [role for role in roles if role.code in inherits or set(role.permissions) <= principal.permissions]
    return {
        "offered": [(name, _actions(name), name in permissions) for name in names],
        "parents": [(role, role.code in inherits) for role in parents],
    }


def _matrix(roles: Sequence[Role]) -> list[Line]:
    permitted = [(role.name, frozenset(role.permissions)) for role in roles]
    return [
        Line(name, _actions(name), tuple((role, name in held) for role, held in permitted))
        for name in sorted(PERMISSIONS)
    ]


def _actions(permission: str) -> tuple[str, ...]:
    return tuple(name for name, rule in RULES.items() if permission in rule.permissions)
