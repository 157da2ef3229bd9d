"""Queues with ten thousand rows: a page has so many, the next follows, and neither asks the database for more."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Tenant
from compliance.models import Incident, SubjectRequest
from compliance.models.request import Channel, Law, RequestType
from compliance.pages import incidents, requests
from tests.factories.access import acting
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
MANY, BATCH = 10_000, 1000


def make_requests(first: int, count: int) -> None:
    rows = (
        SubjectRequest(
            reference=f"R{number:07}",
            type=RequestType.ACCESS,
            law=Law.GDPR,
            channel=Channel.EMAIL,
            received_at=timezone.now(),
            due_on=date(2030, 1, 1) + timedelta(days=number // 100),
            facts=b"sealed",
            subject_key=b"key",
            created_by=uuid4(),
        )
        for number in range(first, first + count)
    )
    SubjectRequest.objects.bulk_create(rows, batch_size=BATCH)


def make_incidents(first: int, count: int) -> None:
    rows = (
        Incident(
            number=number + 1,
            title="Mail to the wrong list",
            severity="low",
            laws=["gdpr"],
            discovered_at=timezone.now(),
            opened_by=uuid4(),
        )
        for number in range(first, first + count)
    )
    Incident.objects.bulk_create(rows, batch_size=BATCH)


QUEUES: dict[str, tuple[Callable[[int, int], None], int]] = {
    "requests": (make_requests, requests.PAGE_SIZE),
    "incidents": (make_incidents, incidents.PAGE_SIZE),
}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_of_ten_thousand_is_shown_page_by_page_at_the_same_price(tenant: Tenant, queue: str) -> None:
    make, size = QUEUES[queue]
    browser, place = browser_of(tenant, "privacy_officer"), f"/admin/compliance/{queue}/"
    row = re.compile(rf'href="({place}[0-9a-f-]{{36}}/)"')

    def look(query: str = "") -> tuple[list[str], str, int]:
        with CaptureQueriesContext(connection) as asked:
            page = browser.get(f"{place}?{query}")
        assert page.status_code == 200
        following = re.search(r'href="\?([^"]*)" rel="next"', page.text)
        return row.findall(page.text), following.group(1).replace("&amp;", "&") if following else "", len(asked)

    with acting(tenant):
        make(0, size + 1)
    look()
    _, _, price = look()
    with acting(tenant):
        make(size + 1, MANY - size - 1)
    first, following, with_many = look()
    second, further, later = look(following)
    assert (len(first), len(second), bool(further)) == (size, size, True)
    assert not set(first) & set(second)
    assert with_many <= price
    assert later <= price
