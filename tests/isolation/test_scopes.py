"""What the scopes of Django's connections keep apart: pools, threads, commit hooks, tasks."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection, connections, transaction

from access.models import Purpose
from datasets.models import Dataset
from tests.factories.audit import make_principal
from vaultsite.kernel.errors import NoTenantScope, ScopeConflict
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect, find_scope, tenant_scope, unscoped


def scope_of(tenant):
    return tenant_scope(tenant.id, make_principal(tenant.id))


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('vault.tenant_id', true)")
        return cursor.fetchone()


def tenants_of(model):
    return set(model.objects.values_list("tenant_id", flat=True))


@pytest.mark.parametrize("alias", ["default", "durable"])
def test_no_statement_leaves_without_a_scope(vault_database, alias):
    with pytest.raises(NoTenantScope), connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
    with pytest.raises(NoTenantScope):
        Dataset.objects.using(alias).count()
    with pytest.raises(NoTenantScope):
        Dataset.objects.using(alias).bulk_create([Dataset(tenant_id=uuid4(), created_by=uuid4(), name="stray")])
    with pytest.raises(NoTenantScope):
        Dataset()


def test_the_orm_sees_one_tenant(a, b):
    with scope_of(a):
        assert tenants_of(Dataset) == {a.id}
        assert not Dataset.objects.filter(pk=b.rows["datasets_dataset"]).exists()
        assert Dataset.objects.filter(pk=b.rows["datasets_dataset"]).update(name="taken") == 0
        with durable_effect():
            assert tenants_of(Dataset) == {a.id}


def test_without_a_tenant_an_unscoped_statement_sees_no_row(populated):
    with unscoped("a test"):
        assert not Dataset.objects.exists()
        assert not Purpose.objects.exists()


def test_a_request_that_crashed_leaves_nothing_to_the_next_one_on_its_connection(a, b):
    """T08: the same backend serves B after A's transaction broke in the middle."""

    def crash():
        with scope_of(a):
            seen.append(backend()[0])
            Dataset.objects.create(name=f"crashed {uuid4()}", created_by=uuid4())
            raise ZeroDivisionError

    seen = []
    with pytest.raises(ZeroDivisionError):
        crash()
    with scope_of(b):
        pid, tenant = backend()
        assert (pid, tenant) == (seen[0], str(b.id))
        assert tenants_of(Dataset) == {b.id}
        assert not Dataset.objects.filter(name__startswith="crashed").exists()


def test_a_pooled_connection_comes_back_without_its_tenant(a, b):
    """Threads borrow from the pool by turns: each sees its own tenant, and nobody's before its scope."""

    def borrow(tenant):
        try:
            with unscoped("asks what the last borrower left"):
                pid, left = backend()
            with scope_of(tenant):
                return pid, left, tenants_of(Dataset) == {tenant.id}
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(borrow, [a, b] * 15))
    assert {(left or "", is_right) for _, left, is_right in answers} == {("", True)}
    assert len({pid for pid, _, _ in answers}) < len(answers), "no connection was borrowed twice"


def test_the_setting_does_not_outlive_the_scope_in_an_open_transaction(a):
    """SET LOCAL lasts until the outermost transaction ends: the scope takes it back itself."""
    with unscoped("an outer transaction"):
        with scope_of(a):
            assert backend()[1] == str(a.id)
        assert backend()[1] == ""
        assert not Dataset.objects.exists()


def test_a_failed_scope_takes_its_setting_back_too(a):
    with unscoped("an outer transaction"):
        with pytest.raises(ZeroDivisionError), scope_of(a):
            raise ZeroDivisionError
        assert (backend()[1] or "") == ""


def test_a_rolled_back_savepoint_keeps_the_scope(a):
    with scope_of(a):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert tenants_of(Dataset) == {a.id}


def test_a_commit_hook_has_no_scope(a):
    """T11: what runs after the commit must open a scope of its own; it is refused loudly, not shown nothing."""
    outcomes = []

    def hook():
        outcomes.append(find_scope())
        with pytest.raises(NoTenantScope):
            Dataset.objects.count()
        with scope_of(a):
            outcomes.append(tenants_of(Dataset))

    with scope_of(a):
        transaction.on_commit(hook)
    assert outcomes == [None, {a.id}]


def test_a_task_without_a_scope_fails_loudly(vault_database):
    """T11: never an empty answer that looks like a result."""

    @current_app.task(name=f"tests.{uuid4().hex}")
    def count_datasets():
        return Dataset.objects.count()

    result = count_datasets.apply()
    assert isinstance(result.result, NoTenantScope)
    assert result.failed()


def test_a_generator_outside_its_scope_fails_loudly(a):
    """T11: a streamed body must open scopes of its own."""
    with scope_of(a):
        rows = iter(Dataset.objects.iterator(chunk_size=1))
        late = Dataset.objects.all()
    with pytest.raises(NoTenantScope):
        list(late)
    with pytest.raises(NoTenantScope):
        list(rows)


def test_a_scope_of_the_same_tenant_joins(a):
    with scope_of(a) as outer:
        with scope_of(a) as inner:
            assert inner is outer
        assert current_scope() is outer
        assert tenants_of(Dataset) == {a.id}


def test_a_scope_of_another_tenant_is_refused_inside(a, b):
    with scope_of(a):
        with pytest.raises(ScopeConflict), scope_of(b):
            pytest.fail("entered")
        assert tenants_of(Dataset) == {a.id}


def test_scopes_of_two_threads_do_not_meet(a, b):
    def other():
        try:
            assert find_scope() is None
            with scope_of(b):
                return tenants_of(Dataset)
        finally:
            connections.close_all()

    with scope_of(a), ThreadPoolExecutor(1) as thread:
        assert thread.submit(other).result() == {b.id}
        assert tenants_of(Dataset) == {a.id}
