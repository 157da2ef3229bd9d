"""Rules of the schema editor."""

import json

import pytest

from datasets.models import RecordSchema
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

FIRST = {"type": "object", "properties": {"a": {"type": "string", "x-pii-type": "PERSON"}}, "required": ["a"]}

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def dataset(tenant):
    return make_dataset(tenant)


@pytest.fixture
def path(dataset):
    return f"/admin/datasets/dataset/{dataset.pk}/schema/"


def sent(browser, path, do, document, **given):
    text = document if isinstance(document, str) else json.dumps(document)
    body = {"do": do, "document": text, "compatibility": "backward", "sample": "", "message": ""} | given
    return opened(browser, path, body, method="post")[0]


def test_a_schema_is_saved_listed_and_compared(tenant, dataset, path):
    browser = browser_of(tenant, "data_steward")
    empty = opened(browser, path)[0].content.decode()
    assert "No schema yet" in empty
    assert "Records of any shape are taken" in empty
    saved = sent(browser, path, "save", FIRST, message="<i>first</i>")
    assert (saved.status_code, saved["Location"]) == (302, path)
    second = FIRST | {"properties": FIRST["properties"] | {"b": {"type": "number"}}}
    assert sent(browser, path, "save", second).status_code == 302
    text = opened(browser, path)[0].content.decode()
    assert "Active: version 2" in text
    assert "&lt;i&gt;first&lt;/i&gt;" in text
    assert "<ins>" in text
    assert "PERSON" in text
    with acting(tenant):
        assert RecordSchema.objects.filter(dataset=dataset).count() == 2


def test_what_is_wrong_is_said_with_its_pointer_and_nothing_typed_is_lost(tenant, path):
    browser = browser_of(tenant, "data_steward")
    page = sent(browser, path, "save", {"properties": {"mine": {"type": "strin"}}})
    assert page.status_code == 400
    assert "/schema/properties/mine/type" in page.content.decode()
    assert "strin" in page.content.decode()
    page = sent(browser, path, "save", '{"type": ')
    assert page.status_code == 400
    assert "not valid JSON at line 1" in page.content.decode()
    sent(browser, path, "save", FIRST)
    page = sent(browser, path, "save", FIRST | {"required": ["a", "z"]})
    assert page.status_code == 409
    assert "asks for z" in page.content.decode()


def test_a_schema_is_tried_out_without_being_kept(tenant, dataset, path):
    browser = browser_of(tenant, "viewer")
    page = sent(browser, path, "check", FIRST, sample='{"a": 5}').content.decode()
    assert "The sample would not be taken" in page
    assert "must be of type string" in page
    assert "Save as active" not in page
    assert (
        "The sample is as the schema says" in sent(browser, path, "check", FIRST, sample='{"a": "x"}').content.decode()
    )
    assert sent(browser, path, "check", FIRST, sample="[]").status_code == 400
    assert sent(browser, path, "check", FIRST, compatibility="odd").status_code == 400
    page = sent(browser, path, "expand", {"a": "float", "b": "string?"}).content.decode()
    assert "&quot;type&quot;: &quot;number&quot;" in page
    assert sent(browser, path, "save", FIRST).status_code == 403
    with acting(tenant):
        assert not RecordSchema.objects.filter(dataset=dataset).exists()


def test_another_organization_finds_no_page(rival, path):
    assert opened(browser_of(rival, "data_steward"), path)[0].status_code == 404
