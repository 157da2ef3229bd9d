"""Callers of the token endpoints, each from an address of its own: limits by address are not this folder's subject."""

from collections.abc import Callable, Iterator
from itertools import count
from secrets import randbelow
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from access.limits import gate
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures of pages

#: Redis remembers for a minute who asked, over the end of a run too.
_ADDRESSES = count(randbelow(60_000))


@pytest.fixture(autouse=True)
def _patient_limiter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After a slow answer of Redis a process limits by itself for a while, by quotas that nothing was taken of."""
    monkeypatch.setattr("access.limits.limiter.PATIENCE", 10.0)
    gate.limiter.cache_clear()
    yield
    gate.limiter.cache_clear()


@pytest.fixture
def address() -> str:
    number = next(_ADDRESSES)
    return f"198.18.{number // 256}.{number % 256}"


@pytest.fixture
def ask(address: str) -> Callable[..., Any]:
    """A request from this test's address: method, path below /api/v1, JSON body, headers."""
    client = Client(REMOTE_ADDR=address)

    def send(method: str, path: str, body: Any = None, *, form: dict[str, str] | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            text, kind = urlencode(form), "application/x-www-form-urlencoded"
            return client.generic(method, f"/api/v1{path}", text, content_type=kind, headers=named)
        sent = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(client, method.lower())(f"/api/v1{path}", headers=named, **sent)

    return send
