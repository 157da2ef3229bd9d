"""Rules of tenant scopes: one transaction, whole or not at all."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Thread
from threading import Event as Flag
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone

from access.models import LoginThrottle, Purpose
from audit.models import AuditEvent
from datasets.models import Branch, Dataset
from tests.factories.audit import make_event, make_principal
from vaultsite.kernel.errors import AuditUnavailable, InvalidInput, NoTenantScope
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.tenancy import scope as scopes
from vaultsite.kernel.tenancy.principal import RequestFacts
from vaultsite.kernel.tenancy.scope import (
    active_alias,
    current_scope,
    current_tenant_id,
    durable_effect,
    find_scope,
    tenant_scope,
    unscoped,
)


def scope_of(tenant, **changed):
    return tenant_scope(tenant.pk, make_principal(tenant.pk), **changed)


def write(code):
    Purpose.objects.create(code=code)


def is_there(tenant, code):
    with scope_of(tenant):
        return Purpose.objects.filter(code=code).exists()


def count_failure(key):
    LoginThrottle.objects.create(key_hash=key, failures=1, last_failed_at=timezone.now())


def settings_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('vault.tenant_id', true), current_setting('vault.principal_id', true)")
        return cursor.fetchone()


def test_a_scope_commits_what_was_written(tenant):
    with scope_of(tenant):
        write("kept")
    assert is_there(tenant, "kept")


def test_the_database_knows_the_tenant_and_the_principal(tenant):
    principal = make_principal(tenant.pk)
    with tenant_scope(tenant.pk, principal):
        assert settings_now() == (str(tenant.pk), str(principal.id))
        assert current_tenant_id() == tenant.pk
    with unscoped("a look behind"):
        assert [value or "" for value in settings_now()] == ["", ""]


@pytest.mark.parametrize("error", [InvalidInput(), ValueError(), KeyboardInterrupt(), SystemExit()])
def test_what_leaves_a_scope_by_an_exception_never_happened(tenant, error):
    with pytest.raises(type(error)), scope_of(tenant):
        write("undone")
        raise error
    assert not is_there(tenant, "undone")
    assert find_scope() is None


def test_a_scope_marked_as_failed_never_commits_though_it_ends_quietly(tenant):
    event = make_event()
    with scope_of(tenant) as scope:
        emit(event, primary=True)
        write("undone")
        scope.fail(InvalidInput())
    assert not is_there(tenant, "undone")
    with scope_of(tenant):
        assert AuditEvent.objects.get(id=event.id).failure_reason == InvalidInput.code


def test_the_first_failure_is_the_one_that_counts(tenant):
    first, second = InvalidInput(), ValueError()
    with scope_of(tenant) as scope:
        scope.fail(first)
        scope.fail(second)
    assert scope.failure is first


def test_a_failure_inside_a_joined_scope_that_leaves_it_fails_the_whole(tenant):
    with pytest.raises(ValueError, match="inner"), scope_of(tenant):
        write("undone")
        with scope_of(tenant):
            raise ValueError("inner")
    assert not is_there(tenant, "undone")


def test_a_joined_scope_ends_nothing(tenant):
    with suppress(ZeroDivisionError), scope_of(tenant):
        with scope_of(tenant):
            write("undone")
        raise ZeroDivisionError
    assert not is_there(tenant, "undone")


def test_a_key_that_fails_at_commit_undoes_the_scope_and_is_recorded(tenant):
    event = make_event()
    with pytest.raises(IntegrityError), scope_of(tenant):
        emit(event, primary=True)
        write("undone")
        Branch.objects.create(dataset_id=uuid4(), name="nowhere")
    assert not is_there(tenant, "undone")
    with scope_of(tenant):
        assert AuditEvent.objects.get(id=event.id).status == "failure"


def test_a_failing_commit_hook_takes_nothing_back(tenant):
    """The transaction is committed by then: the event says so, once."""
    event = make_event()

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), scope_of(tenant):
        emit(event, primary=True)
        write("kept")
        transaction.on_commit(fail)
    assert is_there(tenant, "kept")
    with scope_of(tenant):
        assert AuditEvent.objects.get(id=event.id).status == "success"


def test_the_request_of_a_scope_states_its_purpose_before_its_credential_does(tenant):
    principal = make_principal(tenant.pk, purpose="debugging")
    with tenant_scope(tenant.pk, principal) as scope:
        assert scope.purpose == "debugging"
    with tenant_scope(tenant.pk, principal, RequestFacts(purpose="analytics")) as scope:
        assert scope.purpose == "analytics"


def test_outside_there_is_no_scope():
    assert find_scope() is None
    for ask in (current_scope, current_tenant_id):
        with pytest.raises(NoTenantScope):
            ask()
    with pytest.raises(NoTenantScope), durable_effect():
        pytest.fail("entered")


def test_a_durable_effect_outlives_the_refusal(tenant):
    key = uuid4().bytes
    with pytest.raises(InvalidInput), scope_of(tenant):
        write("undone")
        with durable_effect():
            count_failure(key)
        raise InvalidInput
    with scope_of(tenant):
        assert LoginThrottle.objects.get(key_hash=key).failures == 1
    assert not is_there(tenant, "undone")


def test_a_durable_effect_is_visible_to_all_at_its_end(tenant):
    """Before the scope around it ends: the scope itself, and every other connection, see it."""
    key = uuid4().bytes
    with scope_of(tenant):
        with durable_effect():
            assert active_alias() == "durable"
            count_failure(key)
        assert active_alias() == "default"
        assert LoginThrottle.objects.filter(key_hash=key).exists()
        assert seen_elsewhere(tenant, key)


def seen_elsewhere(tenant, key):
    found = []

    def look():
        try:
            with scope_of(tenant):
                found.append(LoginThrottle.objects.filter(key_hash=key).exists())
        finally:
            connections.close_all()

    thread = Thread(target=look)
    thread.start()
    thread.join(30)
    return found == [True]


def test_a_scope_waits_for_no_other_to_have_its_durable_effect(tenant):
    """More scopes are open at once than there are second connections, and each ends after all had their effect."""
    many = connections["durable"].settings_dict["OPTIONS"]["pool"]["max_size"] + 1
    all_had = Barrier(many, timeout=30)

    def have_one(number: int) -> bool:
        try:
            with scope_of(tenant):
                with suppress(ZeroDivisionError), durable_effect():
                    count_failure(uuid4().bytes)
                    if number % 2:
                        raise ZeroDivisionError
                all_had.wait()
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(many) as threads:
        assert all(threads.map(have_one, range(many)))


def test_a_durable_effect_in_another_ends_with_it(tenant):
    key = uuid4().bytes
    with scope_of(tenant):
        with suppress(ZeroDivisionError), durable_effect():
            with durable_effect():
                count_failure(key)
            assert LoginThrottle.objects.filter(key_hash=key).exists()
            raise ZeroDivisionError
        assert not LoginThrottle.objects.filter(key_hash=key).exists()


def test_a_durable_effect_that_fails_leaves_nothing(tenant):
    key = uuid4().bytes
    with scope_of(tenant):
        with suppress(ZeroDivisionError), durable_effect():
            count_failure(key)
            raise ZeroDivisionError
        assert active_alias() == "default"
        assert not LoginThrottle.objects.filter(key_hash=key).exists()


def test_a_durable_effect_belongs_to_the_scopes_tenant(tenant, rival):
    key = uuid4().bytes
    with scope_of(tenant), durable_effect():
        count_failure(key)
    with scope_of(rival):
        assert not LoginThrottle.objects.filter(key_hash=key).exists()


def test_a_durable_effect_on_a_row_of_its_own_scope_does_not_wait_for_ever(tenant, monkeypatch):
    monkeypatch.setattr(scopes, "DURABLE_LOCK_TIMEOUT", "200ms")
    with scope_of(tenant):
        purpose = Purpose.objects.order_by("code").first()
        Purpose.objects.filter(pk=purpose.pk).update(description="written by the scope")
        begun = time.monotonic()
        with pytest.raises(OperationalError), durable_effect():
            Purpose.objects.filter(pk=purpose.pk).update(description="waits for itself")
        assert time.monotonic() - begun < 5


def test_unscoped_shows_one_tenant_by_its_slug(tenant, rival):
    with unscoped("a login", tenant_slug=tenant.slug):
        assert visible_slugs() == {tenant.slug}
    with unscoped("no slug"):
        assert visible_slugs() == set()


def visible_slugs():
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM access_tenant")
        return {slug for (slug,) in cursor.fetchall()}


def test_a_slug_is_not_remembered(tenant):
    with unscoped("an outer transaction"):
        with unscoped("a login", tenant_slug=tenant.slug):
            assert visible_slugs() == {tenant.slug}
        assert visible_slugs() == set()


def test_the_guard_names_the_kind_of_statement_only():
    with pytest.raises(NoTenantScope) as refused, connection.cursor() as cursor:
        cursor.execute("SELECT 'a canary'")
    assert refused.value.extra == {"statement": "SELECT"}


def test_a_scope_whose_connection_dies_fails_and_the_next_one_works(tenant):
    with pytest.raises((OperationalError, AuditUnavailable)), scope_of(tenant):
        write("undone")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connections["default"].close()
    assert not is_there(tenant, "undone")


def test_two_scopes_of_one_tenant_do_not_see_each_others_unfinished_work(tenant):
    written, looked = Flag(), Flag()

    def work():
        try:
            with scope_of(tenant):
                write("half-done")
                written.set()
                looked.wait(30)
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    assert written.wait(30)
    assert not is_there(tenant, "half-done")
    looked.set()
    thread.join(30)
    assert is_there(tenant, "half-done")


def test_a_row_belongs_to_the_tenant_of_its_scope(tenant, rival):
    with scope_of(tenant):
        dataset = Dataset.objects.create(name="mine", created_by=uuid4())
    assert dataset.tenant_id == tenant.pk
    with scope_of(rival):
        assert not Dataset.objects.filter(pk=dataset.pk).exists()
