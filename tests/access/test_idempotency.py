"""Rules of idempotency keys."""

from datetime import timedelta

import pytest

from access.models import IdempotentRequest
from access.services.idempotency import begin_attempt, fingerprint_of, forget_attempt, store_answer
from tests.factories.access import acting, age, principal_with
from vaultsite.kernel.errors import IdempotencyMismatch, IntegrityFailure, InvalidInput, RequestInFlight

ROUTE, KEY = "POST things", "a key of the client"
SAME, OTHER = fingerprint_of(b"the body"), fingerprint_of(b"another body")


@pytest.fixture
def client(tenant):
    return principal_with(tenant, "service")


def _answered(tenant, client, answer, **asked):
    with acting(tenant, client):
        attempt = begin_attempt(client, **({"route": ROUTE, "key": KEY} | asked))
        store_answer(attempt, fingerprint=SAME, answer=answer)


def _begin(tenant, client, **asked):
    with acting(tenant, client):
        return begin_attempt(client, **({"route": ROUTE, "key": KEY} | asked))


def test_a_repetition_gets_the_answer_of_the_first(tenant, client):
    _answered(tenant, client, {"id": 7})
    attempt = _begin(tenant, client)
    assert (attempt.is_repetition, attempt.answer) == (True, {"id": 7})
    attempt.require_same(SAME)


def test_the_key_with_another_request_is_a_mistake(tenant, client):
    _answered(tenant, client, {"id": 7})
    with pytest.raises(IdempotencyMismatch):
        _begin(tenant, client).require_same(OTHER)


def test_while_the_first_is_worked_on_the_second_is_told_so(tenant, client):
    _begin(tenant, client)
    with pytest.raises(RequestInFlight):
        _begin(tenant, client)


def test_a_scope_that_fails_frees_the_key(tenant, client):
    with pytest.raises(ZeroDivisionError), acting(tenant, client):
        begin_attempt(client, route=ROUTE, key=KEY)
        raise ZeroDivisionError
    assert not _begin(tenant, client).is_repetition


def test_a_scope_that_fails_after_answering_frees_the_key_and_keeps_no_answer(tenant, client):
    with pytest.raises(ZeroDivisionError), acting(tenant, client):
        attempt = begin_attempt(client, route=ROUTE, key=KEY)
        store_answer(attempt, fingerprint=SAME, answer={"id": 7})
        raise ZeroDivisionError
    assert _begin(tenant, client).answer is None


def test_a_repetition_that_fails_keeps_the_answer(tenant, client):
    _answered(tenant, client, {"id": 7})
    with pytest.raises(ZeroDivisionError), acting(tenant, client):
        begin_attempt(client, route=ROUTE, key=KEY)
        raise ZeroDivisionError
    assert _begin(tenant, client).answer == {"id": 7}


def test_another_principal_or_route_has_keys_of_its_own(tenant, client):
    _answered(tenant, client, {"id": 7})
    assert not _begin(tenant, client, route="POST others").is_repetition
    assert not _begin(tenant, principal_with(tenant, "service")).is_repetition
    assert not _begin(tenant, client, key="another key").is_repetition


def test_another_tenant_has_keys_of_its_own(tenant, rival, client):
    _answered(tenant, client, {"id": 7})
    assert not _begin(rival, principal_with(rival, "service", id=client.id)).is_repetition


def test_after_a_day_the_key_is_new(tenant, client):
    _answered(tenant, client, {"id": 7})
    with acting(tenant):
        row = IdempotentRequest.objects.get()
    age(row, expires_at=timedelta(seconds=1))
    assert not _begin(tenant, client).is_repetition


def test_a_request_whose_claim_ran_out_stores_nothing_over_its_successor(tenant, client):
    slow = _begin(tenant, client)
    with acting(tenant):
        row = IdempotentRequest.objects.get()
    age(row, claimed_until=timedelta(seconds=1))
    successor = _begin(tenant, client)
    with pytest.raises(RequestInFlight), acting(tenant, client):
        store_answer(slow, fingerprint=SAME, answer={"id": "slow"})
    with acting(tenant, client):
        forget_attempt(slow)
        store_answer(successor, fingerprint=SAME, answer={"id": "successor"})
    assert _begin(tenant, client).answer == {"id": "successor"}


def test_neither_key_nor_answer_is_stored_in_the_clear(tenant, client):
    _answered(tenant, client, {"canary": "parrot"}, key="key-of-a-parrot")
    with acting(tenant):
        row = IdempotentRequest.objects.get()
    stored = repr([getattr(row, field.attname) for field in row._meta.fields]) + repr(bytes(row.answer))
    assert "parrot" not in stored


def test_an_answer_moved_to_another_key_does_not_open(tenant, client):
    _answered(tenant, client, {"id": 7})
    _answered(tenant, client, {"id": 8}, key="another")
    with acting(tenant):
        first, second = IdempotentRequest.objects.order_by("id")
        IdempotentRequest.objects.filter(pk=first.pk).update(answer=second.answer)
    with pytest.raises(IntegrityFailure):
        _begin(tenant, client)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\0b", "\x1b[31m"])
def test_a_key_is_a_short_printable_text(tenant, client, key):
    with pytest.raises(InvalidInput):
        _begin(tenant, client, key=key)
