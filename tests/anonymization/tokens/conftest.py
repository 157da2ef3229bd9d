"""Scopes of tokens and what is asked of them, inside a scope of the tenant."""

import pytest

from anonymization.services.tokens import TokenScope
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, someone

PURPOSE = "evaluation"


@pytest.fixture
def dataset(tenant):
    return make_dataset(tenant)


@pytest.fixture
def scope(dataset):
    return TokenScope(dataset.pk, PURPOSE)


@pytest.fixture
def officer(tenant):
    return someone(tenant, "privacy_officer")


@pytest.fixture
def as_officer(tenant, officer):
    """A function that calls another inside a scope of the privacy officer."""

    def call(work, *arguments, **named):
        with acting(tenant, officer):
            return work(*arguments, **named)

    return call
