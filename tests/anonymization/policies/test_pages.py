"""Rules of the screens of policies."""

import json

import pytest

from anonymization.models import AnonymizationPolicy, PolicyAttachment, PolicyVersion
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

DOCUMENT = {"format": 1, "default": {"strategy": "redact"}, "rules": [{"entities": ["PERSON"], "strategy": "mask"}]}

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def officer(tenant):
    return browser_of(tenant, "privacy_officer")


def made(tenant, officer, **given):
    answer, _ = opened(officer, "/admin/privacy/policies/", {"name": "ours", "preset": ""} | given, method="post")
    assert answer.status_code == 302
    return answer["Location"]


def posted(officer, path, do, **given):
    return opened(officer, path, {"do": do} | given, method="post")[0]


def test_the_list_shows_presets_and_policies(tenant, officer):
    empty = opened(officer, "/admin/privacy/policies/")[0].content.decode()
    assert "No policy yet" in empty
    assert "HIPAA Safe Harbor" in empty
    made(tenant, officer, preset="pci-pan", as_it_is="1")
    full = opened(officer, "/admin/privacy/policies/")[0].content.decode()
    assert "ours" in full
    assert "nobody" in full


def test_a_bad_name_is_refused_on_the_page(officer):
    answer, _ = opened(officer, "/admin/privacy/policies/", {"name": "Not So", "preset": ""}, method="post")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_a_policy_is_written_activated_attached_and_ended(tenant, officer):
    path = made(tenant, officer)
    assert posted(officer, path, "check", document=json.dumps(DOCUMENT)).status_code == 200
    with acting(tenant):
        assert PolicyVersion.objects.count() == 1
    saved = posted(officer, path, "save", document=json.dumps(DOCUMENT), message="for people", activate="1")
    assert saved.status_code == 302
    shown = opened(officer, path)[0].content.decode()
    assert "Active: version 2" in shown
    assert "for people" in shown
    assert "<ins>" in shown
    assert posted(officer, path, "attach", target="role:data_scientist").status_code == 302
    assert posted(officer, path, "activate", number="1").status_code == 302
    assert posted(officer, path, "activate", number="").status_code == 302
    assert "cannot be read until a version is active" in opened(officer, path)[0].content.decode()
    assert posted(officer, path, "delete").status_code == 409
    with acting(tenant):
        attachment = PolicyAttachment.objects.get()
    assert posted(officer, path, "detach", attachment=str(attachment.pk)).status_code == 302
    assert posted(officer, path, "delete").status_code == 302
    with acting(tenant):
        assert not AnonymizationPolicy.objects.exists()


def test_what_is_wrong_stands_at_its_rule(tenant, officer):
    path = made(tenant, officer)
    wrong = DOCUMENT | {"rules": [{"entities": ["A"], "strategy": "mask", "parameters": {"keep_last": 9}}]}
    answer = posted(officer, path, "save", document=json.dumps(wrong))
    assert answer.status_code == 400
    assert "/parameters/keep_last" in answer.content.decode()
    assert "maximum: 4" in answer.content.decode()
    assert "line 1" in posted(officer, path, "check", document="{").content.decode()
    assert posted(officer, path, "dance").status_code == 400


def test_who_may_only_look_is_offered_no_change(tenant, officer):
    path = made(tenant, officer)
    auditor = browser_of(tenant, "auditor")
    shown = opened(auditor, path)[0].content.decode()
    assert "Save as a new version" not in shown
    assert posted(auditor, path, "save", document=json.dumps(DOCUMENT)).status_code == 403
    assert opened(browser_of(tenant, "viewer"), path)[0].status_code == 403


def test_records_stand_side_by_side_for_readers_of_raw_data(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r1", "text": "Pay with 4111 1111 1111 1111"}]))
    path = f"/admin/datasets/dataset/{dataset.pk}/anonymization/"
    steward = browser_of(tenant, "data_steward", purpose="evaluation")
    assert "HIPAA" in opened(steward, path)[0].content.decode()
    shown = opened(steward, path, {"policy": "preset:pci-pan"})[0].content.decode()
    assert "4111 1111 1111 1111" in shown
    assert "4111 11** **** 1111" in shown
    missing = opened(steward, path, {"policy": "unknown@3"})[0]
    assert missing.status_code == 404
    masked = browser_of(tenant, "data_scientist", purpose="evaluation")
    assert opened(masked, path, {"policy": "preset:pci-pan"})[0].status_code == 403
    asked = browser_of(tenant, "data_steward")
    assert "4111 " not in opened(asked, path, {"policy": "preset:pci-pan"})[0].content.decode()
