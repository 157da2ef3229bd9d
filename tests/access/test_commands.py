"""The commands that operators type."""

import io
import re
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from access.auth.api_keys import PATTERN
from access.auth.resolver import RequestPrincipalResolver
from access.models import Tenant, User
from access.selectors import find_tenant
from access.services.sessions import check_login
from tests.factories.access import make_request


def run(command: str, **options: object) -> str:
    out = io.StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def test_create_tenant_prints_its_id() -> None:
    slug = f"typed-{uuid4().hex[:8]}"
    tenant_id = UUID(run("create_tenant", slug=slug, name="Typed").strip())
    assert find_tenant(slug).pk == tenant_id


def test_create_api_key_prints_a_key_that_works_and_nothing_else(tenant: Tenant) -> None:
    printed = run("create_api_key", tenant=tenant.slug, roles=["data_steward"])
    assert re.fullmatch(PATTERN + "\n", printed)
    principal = RequestPrincipalResolver().resolve(make_request(**{"X-API-Key": printed.strip()}))
    assert (principal.tenant_id, principal.roles, principal.purpose) == (tenant.pk, {"data_steward"}, "evaluation")


def test_create_user_prints_a_password_that_works_and_must_be_changed(tenant: Tenant) -> None:
    password = run("create_user", tenant=tenant.slug, username="eve", roles=["viewer"]).strip()
    user = check_login(make_request(), tenant_slug=tenant.slug, username="eve", password=password)
    assert user.must_change_password


def test_create_user_takes_a_password_from_standard_input(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed by somebody 1\n"))
    assert run("create_user", tenant=tenant.slug, username="eve", roles=["viewer"], password_stdin=True) == ""
    user = check_login(make_request(), tenant_slug=tenant.slug, username="eve", password="typed by somebody 1")
    assert not user.must_change_password


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("create_api_key", {"roles": ["emperor"]}),
        ("create_api_key", {"roles": ["viewer"], "purpose": "world-domination"}),
        ("create_api_key", {"roles": ["viewer"], "days": 1000}),
        ("create_api_key", {"roles": ["viewer"], "tenant": "no-such-tenant"}),
        ("create_user", {"roles": ["emperor"], "username": "eve"}),
        ("create_user", {"roles": ["viewer"], "username": "eve", "tenant": "no-such-tenant"}),
    ],
)
def test_a_misfit_is_an_error_of_the_command(tenant: Tenant, command: str, options: dict) -> None:
    with pytest.raises(CommandError):
        run(command, **({"tenant": tenant.slug} | options))
    assert not User.objects.using("owner").filter(tenant=tenant).exists()


def test_a_tenant_is_made_once(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="slug"):
        run("create_tenant", slug=tenant.slug, name="Again")
