"""Mechanisms: noise as wide as it must be and no wider, and never less privacy than asked for.

Bounds on random draws are wide: each of these tests fails by chance less than once in a million runs.
"""

import math
import statistics
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.privacy.errors import PrivacyUnavailable
from anonymization.privacy.mechanisms import (
    noisy_count,
    noisy_counts,
    select_lowest,
    thresholded_counts,
)
from anonymization.privacy.opendp import load_opendp

DRAWS = 4_000


def draws(value: int = 0, **asked) -> list[int]:
    noisy, _ = noisy_counts([value] * DRAWS, **asked)
    return noisy


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, "1"), (1, "0.1"), (7, "0.5")])
def test_noise_is_centred_and_as_wide_as_its_scale(sensitivity, epsilon):
    scale = sensitivity / float(epsilon)
    # As if every value were one subject's: sensitivity is said of all of them together.
    noise = [value - 100 for value in draws(100, sensitivity=sensitivity, epsilon=Decimal(epsilon))]
    deviation = math.sqrt(2) * scale
    assert abs(statistics.fmean(noise)) < 6 * deviation / math.sqrt(DRAWS)
    # Discrete Laplace: 2 e^(1/b) / (e^(1/b) - 1)^2.
    variance = 2 * math.exp(1 / scale) / (math.exp(1 / scale) - 1) ** 2
    assert 0.7 * variance < statistics.variance(noise) < 1.4 * variance


def test_two_neighbours_are_as_alike_as_epsilon_says():
    """The ratio of every likely outcome's frequency stays within e^epsilon, with room for chance."""
    one = draws(10, sensitivity=1, epsilon=Decimal(1))
    other = draws(11, sensitivity=1, epsilon=Decimal(1))
    for outcome in range(8, 14):
        ratio = (one.count(outcome) + 1) / (other.count(outcome) + 1)
        assert math.exp(-1) / 1.7 < ratio < math.exp(1) * 1.7


def test_a_margin_is_exceeded_in_five_of_a_hundred_draws():
    noisy, noise = noisy_counts([0] * DRAWS, sensitivity=1, epsilon=Decimal("0.1"))
    exceeded = sum(abs(value) > noise.margin for value in noisy) / DRAWS
    assert 0.03 < exceeded < 0.07


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**12), st.decimals("0.0001", "100", places=4))
def test_the_library_confirms_no_more_loss_than_asked_for(sensitivity, epsilon):
    library = load_opendp()
    _, noise = noisy_count(0, sensitivity=sensitivity, epsilon=epsilon)
    space = library.atom_domain(T="i64"), library.absolute_distance(T="i64")
    loss = Decimal(library.m.make_laplace(*space, scale=noise.scale).map(sensitivity))
    assert loss <= epsilon
    assert loss > epsilon * Decimal("0.999999")


def test_sums_are_exact_far_beyond_floats():
    noisy, _ = noisy_count(2**60 + 1, sensitivity=1, epsilon=Decimal(50))
    assert abs(noisy - (2**60 + 1)) <= 3


def test_selection_prefers_low_scores():
    chosen = [select_lowest([100, 0, 100], sensitivity=1, epsilon=Decimal(1))[0] for _ in range(50)]
    assert chosen == [1] * 50
    scores = [abs(place - 500) for place in range(1001)]
    near = [select_lowest(scores, sensitivity=1, epsilon=Decimal("0.5")) for _ in range(100)]
    assert sum(scores[place] > margin for place, margin in near) < 25


def test_selection_among_equals_is_even():
    chosen = [select_lowest([0, 0], sensitivity=1, epsilon=Decimal(1))[0] for _ in range(600)]
    assert 200 < sum(chosen) < 400


def test_keys_below_the_threshold_are_not_told():
    counts = dict.fromkeys(range(2000), 1) | {-1: 5_000}
    found = thresholded_counts(counts, contributions=1, epsilon=Decimal(1), delta=Decimal("1e-12"))
    assert set(found.counts) == {-1}
    assert abs(found.counts[-1] - 5_000) < 100
    assert found.threshold >= math.log(1 / 2e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 100), st.decimals("0.1", "10", places=2), st.sampled_from(["1e-5", "1e-9"]))
def test_the_threshold_keeps_delta(contributions, epsilon, delta):
    library = load_opendp()
    found = thresholded_counts({}, contributions=contributions, epsilon=epsilon, delta=Decimal(delta))
    domain = library.map_domain(library.atom_domain(T="i64"), library.atom_domain(T="i64"))
    metric = library.l01inf_distance(library.absolute_distance(T="i64"))
    mechanism = library.m.make_laplace_threshold(domain, metric, scale=found.noise.scale, threshold=found.threshold)
    lost_epsilon, lost_delta = mechanism.map((contributions,) * 3)
    assert Decimal(lost_epsilon) <= epsilon
    assert Decimal(lost_delta) <= Decimal(delta)


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    load_opendp.cache_clear()
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(PrivacyUnavailable, match="extra privacy"):
        load_opendp()
