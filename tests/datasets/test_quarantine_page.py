"""The page of rescans and quarantine."""

import pytest

from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def page(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "nothing"}]))
    return f"/admin/datasets/dataset/{dataset.pk}/quarantine/"


def test_it_names_who_placed_and_who_released(tenant, page):
    placer = browser_of(tenant, "data_steward", full_name="Grace Hopper")
    releaser = browser_of(tenant, "privacy_officer", username="ada")
    empty, _ = opened(releaser, page)
    assert "No version is in quarantine." in empty.text
    form = {"do": "place", "version": "v1.0.0", "reason": "to be looked at"}
    assert opened(placer, page, form, method="post")[0].status_code == 302
    held, _ = opened(releaser, page)
    assert ">Grace Hopper</span>" in held.text
    done = {"do": "release", "version": "v1.0.0", "reason": "looked at"}
    assert opened(releaser, page, done, method="post")[0].status_code == 302
    after, _ = opened(placer, page)
    assert ">ada</span>: looked at" in after.text
    assert ">you</span>" not in after.text


def test_every_field_has_the_style_of_the_site_and_a_label(tenant, page):
    steward = browser_of(tenant, "data_steward")
    opened(steward, page, {"do": "place", "version": "v1.0.0", "reason": "r"}, method="post")
    text = opened(steward, page)[0].text
    assert text.count('type="text"') == text.count('name="reason"') + text.count('name="version"\n')


def test_what_was_refused_names_its_field_and_keeps_what_was_typed(tenant, page):
    form = {"do": "place", "version": "v1.0.0", "reason": " "}
    refused, _ = opened(browser_of(tenant, "data_steward"), page, form, method="post")
    assert refused.status_code == 400
    assert 'data-problem="reason"' in refused.text
    assert 'value="v1.0.0"' in refused.text
