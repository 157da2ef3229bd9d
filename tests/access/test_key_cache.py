"""Bounds of the cache of plaintext keys."""

import os
from uuid import UUID, uuid4

from access.services.key_cache import KeyCache
from vaultsite.kernel.crypto.keys import SecretKey

TENANT, RIVAL = uuid4(), uuid4()


def new_key() -> SecretKey:
    return SecretKey(os.urandom(32))


def filled(cache: KeyCache, count: int, tenant: UUID = TENANT) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    for key_id in ids:
        cache.put(tenant, key_id, new_key())
    return ids


def test_the_least_recently_used_key_leaves_when_it_is_full() -> None:
    cache = KeyCache(max_keys=3)
    first, second, third = filled(cache, 3)
    assert cache.get(TENANT, first)
    (fourth,) = filled(cache, 1)
    assert len(cache) == 3
    assert cache.get(TENANT, second) is None
    assert all(cache.get(TENANT, key_id) for key_id in (first, third, fourth))


def test_a_key_is_forgotten_at_its_age() -> None:
    now = [0.0]
    cache = KeyCache(max_age_seconds=300, clock=lambda: now[0])
    (key_id,) = filled(cache, 1)
    now[0] = 299.9
    assert cache.get(TENANT, key_id)
    now[0] = 300.0
    assert cache.get(TENANT, key_id) is None
    assert len(cache) == 0


def test_a_key_is_forgotten_after_its_uses() -> None:
    cache = KeyCache(max_uses=2)
    (key_id,) = filled(cache, 1)
    assert [cache.get(TENANT, key_id) is not None for _ in range(4)] == [True, True, False, False]


def test_a_key_is_found_under_its_tenant_alone() -> None:
    cache = KeyCache()
    (key_id,) = filled(cache, 1)
    assert cache.get(RIVAL, key_id) is None
    key = new_key()
    cache.put(RIVAL, key_id, key)
    assert cache.get(RIVAL, key_id) is key
    assert cache.get(TENANT, key_id) is not key


def test_dropping_a_tenant_leaves_the_others() -> None:
    cache = KeyCache()
    mine, theirs = filled(cache, 5), filled(cache, 5, RIVAL)
    cache.drop_tenant(TENANT)
    assert not any(cache.get(TENANT, key_id) for key_id in mine)
    assert all(cache.get(RIVAL, key_id) for key_id in theirs)


def test_a_forked_child_starts_empty_with_a_free_lock() -> None:
    cache = KeyCache()
    filled(cache, 2)
    cache._lock.acquire()
    cache.restart()
    assert len(cache) == 0
    assert len(filled(cache, 1)) == len(cache)
