"""Policies that bind raw readers bind them wherever something quotes records or is made with the keys of readings."""

import pytest

from access.services.authorize import ResourceRef, shows_raw
from anonymization.services.feedback import NewFeedback, Snippet, give_feedback, snippet_of
from tests.anonymization.policies.test_policies import document, made
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

TEXT = "Ask jane.roe@example.com today"
RECORD = {"id": "r1", "note": TEXT}


def snippet_for(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        new = NewFeedback(
            "false_positive", "EMAIL_ADDRESS", Snippet(TEXT, 4, 24, "/data/note"), dataset_id=dataset.pk, record_id="r1"
        )
        return snippet_of(steward, give_feedback(steward, new=new))


def test_the_text_of_feedback_is_not_shown_past_a_policy_that_binds_raw_readers(tenant):
    bound, other = make_dataset(tenant), make_dataset(tenant)
    for dataset in (bound, other):
        upload(tenant, dataset, jsonl([RECORD]))
    assert snippet_for(tenant, bound).value == "jane.roe@example.com"
    made(tenant, document(), kind="dataset", target=str(bound.pk), binds_raw_readers=True)
    assert snippet_for(tenant, bound) is None
    assert snippet_for(tenant, other) is not None


def test_a_policy_of_any_purpose_binds_where_no_purpose_was_stated(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    made(tenant, document(), kind="purpose", target="model-training")
    resource = ResourceRef("dataset", dataset_id=dataset.pk)
    for purpose, is_raw in {"": False, "model-training": False, "evaluation": True}.items():
        steward = principal_with(tenant, "data_steward", purpose=purpose or None)
        with acting(tenant, steward):
            assert shows_raw(steward, resource) is is_raw


@pytest.mark.parametrize("kind", ["dataset", "role", "purpose"])
def test_rejected_lines_are_refused_where_a_policy_binds_raw_readers(tenant, kind):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl([RECORD]) + b"{broken jane.roe@example.com\n", on_error="reject")
    path, client = f"/ingests/{ingest.pk}/rejects", caller(tenant, "data_steward")
    assert send(client, "GET", path).status_code == 200
    target = {"dataset": str(dataset.pk), "role": "data_steward", "purpose": "evaluation"}[kind]
    made(tenant, document(), kind=kind, target=target, binds_raw_readers=True)
    refused = send(client, "GET", path)
    assert (refused.status_code, refused.json()["code"]) == (403, "VAULT_DATA_4013")
    assert b"jane" not in refused.content


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_playground_shows_no_presets_to_raw_readers_whom_a_policy_binds(tenant):
    browser = browser_of(tenant, "data_steward")
    page, form = "/admin/privacy/playground/", {"text": TEXT, "kind": "text"}
    assert "HIPAA Safe Harbor" in opened(browser, page, form, method="post")[0].content.decode()
    made(tenant, document(), kind="role", target="data_steward")
    assert "HIPAA Safe Harbor" not in opened(browser, page, form, method="post")[0].content.decode()
