"""A client of the API, as the holder of an API key of a tenant of its own, and what the log says meanwhile."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from access.services.api_keys import create_api_key
from access.services.tenants import operator
from vaultsite.kernel.logs import EscapingFormatter
from vaultsite.kernel.tenancy.scope import tenant_scope


def api_client(tenant: Any, *roles: str) -> Client:
    principal = operator(tenant.pk)
    with tenant_scope(tenant.pk, principal):
        _, token = create_api_key(
            principal, name="tests", roles=roles or ["data_steward"], default_purpose="evaluation"
        )
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def client(tenant: Any) -> Client:
    return api_client(tenant)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the vault's own handler of the root logger writes."""
    (handler,) = (item for item in logging.getLogger().handlers if isinstance(item.formatter, EscapingFormatter))
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    previous = handler.setStream(stream)
    yield stream
    handler.setStream(previous)
