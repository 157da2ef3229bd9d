"""The page of a version's findings, and feedback given there."""

import pytest

from anonymization.models import FindingFeedback
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
ROWS = [{"id": "r1", "text": "write to info@acme.example about Falcon"}, {"id": "r2", "text": "nothing here"}]


@pytest.fixture
def page(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS))
    return f"/admin/datasets/dataset/{dataset.pk}/findings/"


def test_findings_are_shown_with_their_reason_and_marked_wrong_or_missed(tenant, page):
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    text = opened(browser, f"{page}?type=EMAIL_ADDRESS&score=0.5")[0].content.decode()
    assert "info@acme.example" in text
    assert "decided by default" in text
    mark = {"record_id": "r1", "pointer": "/data/text", "part": "value", "start": "9", "end": "26", "version": "main"}
    form = mark | {"do": "false_positive", "entity_type": "EMAIL_ADDRESS"}
    assert opened(browser, page, form, method="post")[0].status_code == 302
    missed = {"do": "missed", "record_id": "r1", "missed": "Falcon", "entity_type": "PROJECT", "version": "main"}
    assert opened(browser, page, missed, method="post")[0].status_code == 302
    for wrong in (form | {"start": "1"}, missed | {"missed": "Eagle"}, missed | {"missed": ""}):
        assert opened(browser, page, wrong, method="post")[0].status_code == 400
    with acting(tenant):
        rows = FindingFeedback.objects.order_by("id")
        assert [(row.verdict, row.entity_type, row.record_id) for row in rows] == [
            ("false_positive", "EMAIL_ADDRESS", "r1"),
            ("missed", "PROJECT", "r1"),
        ]
    triage = opened(browser, "/admin/privacy/feedback/")[0].content.decode()
    assert "Falcon" in triage
    settle = {"do": "allow", "id": str(rows[0].pk), "reason": "ours", "is_for_dataset": "1"}
    assert 'value="allow"' not in triage, "nobody settles what they gave"
    second = browser_of(tenant, "data_steward", purpose="evaluation")
    assert 'value="allow"' in opened(second, "/admin/privacy/feedback/")[0].content.decode()
    assert opened(second, "/admin/privacy/feedback/", settle, method="post")[0].status_code == 302
    assert "decided by allow" in opened(browser, f"{page}?type=EMAIL_ADDRESS")[0].content.decode()


def test_readers_of_masked_records_see_counts_and_no_text(tenant, page):
    browser = browser_of(tenant, "ml_engineer", purpose="evaluation")
    text = opened(browser, page)[0].content.decode()
    assert "/data/text" in text or "/text" in text
    assert "info@acme.example" not in text
    form = {"do": "missed", "record_id": "r1", "missed": "Falcon", "entity_type": "PROJECT"}
    assert opened(browser, page, form, method="post")[0].status_code == 403
    assert "For what purpose?" in opened(browser_of(tenant, "data_steward"), page)[0].content.decode()
