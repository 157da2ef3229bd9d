"""Many at once: one token a value, and no token for two."""

import threading

import pytest
from django.db import connections

from anonymization.models import Token, TokenUse
from anonymization.services.token_vault.upkeep import rotate_space
from anonymization.services.tokens import TokenForm, TokenScope, detokenize_values, issue_tokens
from anonymization.tokens.form import TokenKind
from tests.factories.access import acting

SIX_DIGITS = TokenForm(TokenKind.FORMAT, shape="999999")
THREADS = 8


def at_once(works):
    """What each of the works returned, run from threads that wait for each other."""
    barrier, results, faults = threading.Barrier(len(works)), [None] * len(works), []

    def run(index, work):
        try:
            barrier.wait(timeout=60)
            results[index] = work()
        except Exception as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert faults == []
    return results


def issuing(tenant, principal, scope, values, form=None):
    def work():
        with acting(tenant, principal):
            return [one.token for one in issue_tokens(scope, values, form=form)]

    return work


@pytest.mark.parametrize("form", [TokenForm(TokenKind.DETERMINISTIC), SIX_DIGITS], ids=["deterministic", "format"])
def test_the_same_values_get_the_same_tokens(tenant, officer, as_officer, scope, form):
    values = [f"{index:06}" for index in range(0, 1_000_000, 5_000)]
    orders = [values if number % 2 else values[::-1] for number in range(THREADS)]
    results = at_once([issuing(tenant, officer, scope, order, form) for order in orders])
    mappings = [dict(zip(order, tokens, strict=True)) for order, tokens in zip(orders, results, strict=True)]
    assert all(mapping == mappings[0] for mapping in mappings)
    assert len(set(mappings[0].values())) == len(values)
    with acting(tenant):
        assert Token.objects.count() == len(values)
        assert set(Token.objects.values_list("uses", flat=True)) == {THREADS}
        use = TokenUse.objects.get()
        assert (use.issued, use.repeated) == (len(values), len(values) * (THREADS - 1))
    assert as_officer(detokenize_values, scope, list(mappings[0].values())) == list(mappings[0])


def test_random_tokens_of_many_do_not_meet(tenant, officer):
    results = at_once([issuing(tenant, officer, TokenScope(), ["one value"] * 500) for _ in range(THREADS)])
    tokens = [token for of_one in results for token in of_one]
    assert len(set(tokens)) == 500 * THREADS


def test_a_token_that_is_taken_is_passed_over(tenant, officer, as_officer, scope):
    """Two generations share a small domain: about nine of these tokens would be another value's."""
    first, second = [f"{index:06}" for index in range(3_000)], [f"{index:06}" for index in range(500_000, 503_000)]
    tokens = []
    for start in range(0, 3_000, 1_000):
        tokens += [one.token for one in as_officer(issue_tokens, scope, first[start : start + 1_000], form=SIX_DIGITS)]
    with acting(tenant):
        space_id = Token.objects.values_list("space_id", flat=True).first()
    as_officer(rotate_space, officer, space_id=space_id)
    for start in range(0, 3_000, 1_000):
        tokens += [one.token for one in as_officer(issue_tokens, scope, second[start : start + 1_000], form=SIX_DIGITS)]
    assert len(set(tokens)) == 6_000
    assert as_officer(detokenize_values, scope, tokens) == first + second


def test_revealing_and_issuing_the_same_rows_does_not_deadlock(tenant, officer, as_officer, scope):
    values = [f"person number {index}" for index in range(300)]
    tokens = [one.token for one in as_officer(issue_tokens, scope, values)]

    def reveal():
        with acting(tenant, officer):
            return detokenize_values(scope, tokens[::-1])

    results = at_once([reveal if number % 2 else issuing(tenant, officer, scope, values) for number in range(THREADS)])
    assert results[0] == tokens
    assert results[1] == values[::-1]
    with acting(tenant):
        assert set(Token.objects.values_list("reveals", flat=True)) == {THREADS // 2}
