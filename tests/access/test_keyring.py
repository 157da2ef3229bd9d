"""Rules of the keyring."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connections, transaction

from access.models import EncryptionKey, KeyState, Tenant
from access.services import keyring
from access.services.keyring import (
    KeyPurpose,
    current_key,
    destroy_keys,
    drop_tenant,
    key_by_id,
    open_column,
    seal_column,
)
from tests.factories.access import acting
from tests.faults import FaultyKMS
from vaultsite.kernel import providers
from vaultsite.kernel.crypto.kms.base import KMS, KMSDescription
from vaultsite.kernel.crypto.kms.breaker import FAILURES
from vaultsite.kernel.errors import IntegrityFailure, KeyDestroyed, KeyUnavailable
from vaultsite.kernel.events.event import EventType, Recorded


@pytest.fixture
def kms() -> Iterator[KMS]:
    """The configured KMS; a test may put another in its place."""
    yield providers.load_provider("KMS")
    providers.reset_providers()


def use(kms: KMS) -> None:
    providers._loaded["KMS"] = kms


class EchoKMS(KMS):
    """Answers every unwrap with the same bytes, whatever was asked for."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def wrap(self, key, context):  # noqa: ARG002 - the port's signature
        return b"wrapped"

    def unwrap(self, wrapped, context):  # noqa: ARG002 - the port's signature
        return self.answer

    def describe(self):
        return KMSDescription("echo", "1", "1", hardware=False)


def rows(tenant: Tenant, **facts: object) -> list[EncryptionKey]:
    return list(EncryptionKey.objects.using("owner").filter(tenant=tenant, **facts).order_by("version"))


def test_a_key_is_made_once_and_found_again(tenant: Tenant) -> None:
    dataset = uuid4()
    with acting(tenant):
        made = current_key(KeyPurpose.DATASET, dataset)
    drop_tenant(tenant.pk)
    with acting(tenant):
        found = current_key(KeyPurpose.DATASET, dataset)
        assert (found.id, found.key) == (made.id, made.key)
        assert key_by_id(made.id) == made.key


def test_purposes_and_scopes_have_keys_of_their_own(tenant: Tenant) -> None:
    with acting(tenant):
        places = [(purpose, scope) for purpose in KeyPurpose for scope in (None, uuid4(), uuid4())]
        handles = [current_key(purpose, scope) for purpose, scope in places]
        assert len({handle.key.reveal() for handle in handles}) == len(places)
        assert len({handle.id for handle in handles}) == len(places)


def test_only_the_kek_is_wrapped_by_the_kms_and_it_wraps_the_rest(tenant: Tenant) -> None:
    with acting(tenant):
        current_key(KeyPurpose.DATASET, uuid4())
    (kek,) = rows(tenant, purpose="kek")
    assert (kek.wrapped_by_id, kek.kms_provider) == (None, "local")
    others = [row for row in rows(tenant) if row.pk != kek.pk]
    assert others
    assert {row.wrapped_by_id for row in others} == {kek.pk}
    assert {row.kms_provider for row in others} == {""}


def test_making_a_key_is_recorded(tenant: Tenant, events: list[Recorded]) -> None:
    with acting(tenant):
        handle = current_key(KeyPurpose.DATASET, uuid4())
    (recorded,) = [recorded for recorded in events if recorded.event.type == EventType.KEY_CREATED]
    assert recorded.event.resource.id == str(handle.id)


def test_a_key_made_in_a_failed_scope_is_gone_with_it(tenant: Tenant) -> None:
    dataset = uuid4()
    with acting(tenant) as scope:
        current_key(KeyPurpose.DATASET, dataset)
        scope.fail(RuntimeError())
    assert rows(tenant, scope_id=dataset) == []
    with acting(tenant):
        current_key(KeyPurpose.DATASET, dataset)
    assert len(rows(tenant, scope_id=dataset)) == 1


def test_many_first_uses_at_once_make_one_key(tenant: Tenant) -> None:
    dataset, barrier = uuid4(), Barrier(4)

    def first_use(_: int) -> UUID:
        try:
            with acting(tenant):
                barrier.wait(timeout=20)
                return current_key(KeyPurpose.DATASET, dataset).id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(first_use, range(4)))) == 1
    assert len(rows(tenant, scope_id=dataset)) == 1


def test_the_database_refuses_a_second_active_key(tenant: Tenant) -> None:
    (kek,) = rows(tenant, purpose="kek")
    kek.pk, kek.version = uuid4(), 2
    with pytest.raises(IntegrityError, match="one_active"), transaction.atomic(using="owner"):
        kek.save(using="owner", force_insert=True)


def test_a_rival_s_key_does_not_exist_here(tenant: Tenant, rival: Tenant) -> None:
    with acting(tenant):
        mine = current_key(KeyPurpose.DATASET, uuid4())
    with acting(rival), pytest.raises(KeyUnavailable):
        key_by_id(mine.id)


def test_a_column_opens_only_in_its_place(tenant: Tenant, rival: Tenant) -> None:
    with acting(tenant):
        sealed = seal_column("a.kind", b"1", b"plain")
        assert open_column("a.kind", b"1", sealed) == b"plain"
        for kind, object_id in (("a.kind", b"2"), ("another.kind", b"1")):
            with pytest.raises(IntegrityFailure):
                open_column(kind, object_id, sealed)
    with acting(rival), pytest.raises(KeyUnavailable):
        open_column("a.kind", b"1", sealed)


def test_a_wrapped_key_moved_to_another_row_does_not_open(tenant: Tenant) -> None:
    with acting(tenant):
        first, second = (current_key(KeyPurpose.DATASET, uuid4()) for _ in range(2))
    keys = EncryptionKey.objects.using("owner")
    keys.filter(pk=second.id).update(wrapped=keys.get(pk=first.id).wrapped)
    drop_tenant(tenant.pk)
    with acting(tenant), pytest.raises(IntegrityFailure):
        key_by_id(second.id)


def test_a_kek_copied_to_another_tenant_does_not_open_there(tenant: Tenant, rival: Tenant) -> None:
    (mine,), (theirs,) = rows(tenant, purpose="kek"), rows(rival, purpose="kek")
    EncryptionKey.objects.using("owner").filter(pk=theirs.pk).update(wrapped=mine.wrapped)
    drop_tenant(rival.pk)
    with acting(rival), pytest.raises(IntegrityFailure):
        key_by_id(theirs.pk)


def test_while_the_kms_is_down_cached_keys_serve_and_others_do_not(tenant: Tenant, kms: KMS) -> None:
    with acting(tenant):
        sealed = seal_column("a.kind", b"1", b"plain")
    use(FaultyKMS(kms))
    with acting(tenant):
        assert open_column("a.kind", b"1", sealed) == b"plain"
    drop_tenant(tenant.pk)
    with acting(tenant), pytest.raises(KeyUnavailable):
        open_column("a.kind", b"1", sealed)
    with acting(tenant), pytest.raises(KeyUnavailable):
        seal_column("a.kind", b"1", b"never in the clear")
    use(kms)
    with acting(tenant):
        assert open_column("a.kind", b"1", sealed) == b"plain"


def test_a_kms_that_was_down_for_one_tenant_is_left_alone_for_a_while_for_that_one(
    tenant: Tenant, rival: Tenant, kms: KMS
) -> None:
    with acting(tenant):
        sealed = seal_column("a.kind", b"1", b"plain")
    use(FaultyKMS(kms))
    for one in (tenant, rival):
        drop_tenant(one.pk)
    for _ in range(FAILURES):
        with acting(tenant), pytest.raises(KeyUnavailable):
            open_column("a.kind", b"1", sealed)
    use(kms)
    with acting(tenant), pytest.raises(KeyUnavailable, match="asked again in some seconds"):
        open_column("a.kind", b"1", sealed)
    with acting(rival):
        assert seal_column("a.kind", b"1", b"plain")


@pytest.mark.parametrize("answer", [bytes(32), b"k" * 31, b"k" * 33, b""])
def test_a_kms_that_answers_with_another_or_a_short_key_is_refused(tenant: Tenant, kms: KMS, answer: bytes) -> None:
    """T55."""
    use(EchoKMS(answer))
    drop_tenant(tenant.pk)
    (kek,) = rows(tenant, purpose="kek")
    with acting(tenant), pytest.raises((IntegrityFailure, KeyUnavailable)):
        key_by_id(kek.pk)
    assert keyring._cache.get(tenant.pk, kek.pk) is None


def test_a_destroyed_key_stays_destroyed(tenant: Tenant) -> None:
    dataset = uuid4()
    with acting(tenant):
        handle = current_key(KeyPurpose.DATASET, dataset)
    with acting(tenant):
        assert destroy_keys(dataset) == 1
    with acting(tenant), pytest.raises(KeyDestroyed):
        key_by_id(handle.id)
    (row,) = rows(tenant, scope_id=dataset)
    assert (row.state, row.wrapped) == (KeyState.DESTROYED, None)
    with acting(tenant):
        assert current_key(KeyPurpose.DATASET, dataset).id != handle.id


def test_keys_show_in_no_representation(tenant: Tenant) -> None:
    with acting(tenant):
        handle = current_key(KeyPurpose.PLATFORM)
    assert handle.key.reveal().hex() not in repr(handle)
    assert repr(handle.key.reveal()) not in repr(handle)
    assert settings.VAULT["KMS"]["BACKEND"] not in repr(handle)
