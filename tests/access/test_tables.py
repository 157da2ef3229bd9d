"""What the database itself refuses to the serving role: rows of others, third-party tables, and more than it needs."""

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from access.models import ApiKey, EncryptionKey, LoginThrottle, Purpose, Role, RoleBinding, Tenant, User, VaultSession
from access.services.tenants import operator
from tests.factories.access import acting, make_api_key, make_user, sign_in
from vaultsite.kernel.tenancy.scope import tenant_scope, unscoped

TABLES = (ApiKey, EncryptionKey, LoginThrottle, Purpose, Role, RoleBinding, User, VaultSession)
ROW_COUNT = "SELECT count(*) FROM {}"


@pytest.fixture
def filled(tenant: Tenant, rival: Tenant) -> tuple[Tenant, Tenant]:
    for home in (tenant, rival):
        make_api_key(home)
        user = make_user(home)
        sign_in(home, user)
        with acting(home):
            LogEntry.objects.create(user=user, object_id=str(user.pk), action_flag=ADDITION)
    return tenant, rival


def tables() -> list[str]:
    return [model._meta.db_table for model in TABLES] + ["django_admin_log"]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ROW_COUNT.format(table))
        return cursor.fetchone()[0]


def refused(statement: str, alias: str = "default") -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using=alias):
        connections[alias].cursor().execute(statement)


@pytest.mark.usefixtures("filled")
def test_without_a_tenant_every_table_is_empty() -> None:
    with unscoped("the question of this test"):
        assert {table: count(table) for table in [*tables(), "access_tenant"]} == dict.fromkeys(
            [*tables(), "access_tenant"], 0
        )


def test_raw_sql_sees_the_scope_s_rows_alone(filled: tuple[Tenant, Tenant]) -> None:
    tenant, _ = filled
    for table in tables():
        column = "user_id" if table == "django_admin_log" else "tenant_id"
        with acting(tenant):
            assert count(table) > 0
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT DISTINCT {column} FROM {table}")
                seen = {value for (value,) in cursor.fetchall()}
            mine = {tenant.pk} if column == "tenant_id" else set(User.objects.values_list("pk", flat=True))
            assert seen <= mine


def test_rows_of_a_rival_cannot_be_written(filled: tuple[Tenant, Tenant]) -> None:
    tenant, rival = filled
    with acting(tenant):
        for model in (Purpose, Role):
            assert model.objects.filter(tenant=rival).update(code="stolen") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Purpose.objects.create(tenant=rival, code="planted")
        theirs = User.objects.using("owner").filter(tenant=rival).first()
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            LogEntry.objects.create(user_id=theirs.pk, object_id="1", action_flag=ADDITION)


def test_a_key_into_another_tenant_is_refused_at_commit(filled: tuple[Tenant, Tenant]) -> None:
    tenant, rival = filled
    theirs = {model: model.objects.using("owner").filter(tenant=rival).first().pk for model in (Role, User)}
    mine = {model: model.objects.using("owner").filter(tenant=tenant).first().pk for model in (Role, User)}
    for user, role in ((mine[User], theirs[Role]), (theirs[User], mine[Role])):
        with pytest.raises(IntegrityError), acting(tenant):
            RoleBinding.objects.create(user_id=user, role_id=role, granted_by=operator(tenant.pk).id)


def test_a_binding_has_exactly_one_holder(filled: tuple[Tenant, Tenant]) -> None:
    tenant, _ = filled
    with acting(tenant):
        role, user, key = Role.objects.first(), User.objects.first(), ApiKey.objects.first()
        for holders in ({}, {"user": user, "api_key": key}):
            with pytest.raises(IntegrityError, match="one_holder"), transaction.atomic():
                RoleBinding.objects.create(role=role, granted_by=user.pk, **holders)


@pytest.mark.parametrize("table", ["auth_group", "auth_group_permissions", "django_migrations"])
def test_tables_that_know_no_tenant_are_closed(tenant: Tenant, table: str) -> None:
    with acting(tenant):
        refused(f"SELECT 1 FROM {table}")


def test_django_s_names_are_read_only(tenant: Tenant) -> None:
    with acting(tenant):
        assert ContentType.objects.exists()
        assert Permission.objects.exists()
        refused("DELETE FROM auth_permission")
        refused("INSERT INTO django_content_type (app_label, model) VALUES ('a', 'b')")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_tenant SET name = 'mine'",
        "INSERT INTO access_tenant (id, slug, name, is_active) VALUES (gen_random_uuid(), 'x', 'x', true)",
        "DELETE FROM access_user",
        "DELETE FROM access_apikey",
        "DELETE FROM access_encryptionkey",
        "UPDATE django_admin_log SET object_id = '1'",
        "DELETE FROM django_admin_log",
        "TRUNCATE access_vaultsession",
    ],
)
def test_the_serving_role_has_no_more_rights_than_it_needs(tenant: Tenant, statement: str) -> None:
    with acting(tenant):
        refused(statement)


@pytest.mark.parametrize(
    "table", ["access_user", "access_apikey", "access_encryptionkey", "access_role", "django_admin_log"]
)
def test_the_system_role_sees_no_people_and_no_keys(table: str) -> None:
    refused(f"SELECT 1 FROM {table}", "system")


def test_the_tenant_of_a_scope_ends_with_it(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        assert count("access_role") > 0
    with unscoped("the question of this test"):
        assert count("access_role") == 0
