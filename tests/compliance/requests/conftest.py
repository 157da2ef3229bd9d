"""Requests of data subjects as tests make them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail as outbox

from compliance.models import SubjectRequest
from compliance.requests.mail import send_due
from tests.factories.access import acting
from tests.factories.api import caller, send
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

__all__ = ["send_due"]
JANE = {
    "type": "access",
    "law": "gdpr",
    "name": "Jane Smithson",
    "contact": "jane.smithson@example.org",
    "identifiers": ["C-1029", "jsmithson"],
    "details": "everything since the spring",
}


@pytest.fixture
def officer(tenant: Any) -> Any:
    return caller(tenant, "privacy_officer")


@pytest.fixture
def asked(officer: Any) -> Callable[..., dict[str, Any]]:
    """A request of Jane's, entered by an officer; members may be changed."""

    def make(**changed: Any) -> dict[str, Any]:
        answer = send(officer, "POST", "/subject-requests", JANE | changed)
        assert answer.status_code == 201, answer.json()
        return dict(answer.json())

    return make


@pytest.fixture
def act(officer: Any) -> Callable[..., Any]:
    """Do something to a request: its answer's status and body."""

    def call(request: dict[str, Any], what: str, body: Any = None, method: str = "POST", by: Any = None) -> Any:
        answer = send(by or officer, method, f"/subject-requests/{request['id']}/{what}".rstrip("/"), body)
        return answer.status_code, answer.json()

    return call


@pytest.fixture
def mailed() -> Callable[[], list[Any]]:
    """Send what is due, and give the mails that went out since."""
    send_due()  # what other tests left

    def go() -> list[Any]:
        before = len(outbox.outbox)
        send_due()
        return list(outbox.outbox[before:])

    return go


@pytest.fixture
def row_of(tenant: Any) -> Callable[[dict[str, Any]], SubjectRequest]:
    def read(request: dict[str, Any]) -> SubjectRequest:
        with acting(tenant):
            return SubjectRequest.objects.get(pk=request["id"])

    return read


def as_vault(tenant: Any) -> Any:
    return tenant_scope(tenant.pk, Principal.system(tenant.pk))
