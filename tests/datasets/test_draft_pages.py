"""Rules of the pages of drafts."""

import pytest

from audit.models import AuditEvent
from datasets.models import Draft, Publication
from datasets.services.drafts.publication import run_publication
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.drafts import make_draft, publish, put
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("plain_static")

LONG = "A very long description of what is going to change. " * 18


def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "n": 1}]))
    return dataset


def path_of(dataset, draft=None):
    return f"/admin/datasets/dataset/{dataset.pk}/drafts/" + (f"{draft.pk}/" if draft else "")


def test_a_draft_is_opened_filled_and_published_from_its_page(tenant):
    dataset, browser = filled(tenant), browser_of(tenant, "data_steward")
    assert "No draft is open." in browser.get(path_of(dataset)).content.decode()
    answer = browser.post(path_of(dataset), {"label": "v5.0.0", "description": LONG[:1000]})
    with acting(tenant):
        draft = Draft.objects.get()
    assert answer["Location"] == path_of(dataset, draft)
    assert "Nothing is staged yet" in browser.get(path_of(dataset, draft)).content.decode()
    empty = browser.post(path_of(dataset, draft), {"do": "publish"})
    assert (empty.status_code, "VAULT_DATA_4343" in empty.content.decode()) == (409, True)
    put(tenant, draft, [{"id": f"b{index}", "data": {}} for index in range(101)])
    page = browser.get(path_of(dataset, draft)).content.decode()
    assert "?after=" in page
    assert "v5.0.0" in browser.get(path_of(dataset)).content.decode()
    assert browser.post(path_of(dataset, draft), {"do": "publish", "message": "now"}).status_code == 302
    assert "Being published: 0 of 101 changes" in browser.get(path_of(dataset, draft)).content.decode()
    with acting(tenant):
        publication = Publication.objects.get()
    run_publication(tenant.pk, publication.pk)
    assert "Published as" in browser.get(path_of(dataset, draft)).content.decode()


def test_a_conflict_and_the_offer_of_a_rebase_are_shown(tenant):
    dataset, browser = filled(tenant), browser_of(tenant, "data_steward")
    draft, other = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "a", "data": {"n": 2}}])
    put(tenant, other, [{"id": "a", "data": {"n": 3}}])
    publish(tenant, other)
    moved = browser.post(path_of(dataset, draft), {"do": "publish"})
    assert (moved.status_code, "Rebase and publish" in moved.content.decode()) == (409, True)
    browser.post(path_of(dataset, draft), {"do": "rebase"})
    with acting(tenant):
        publication = Publication.objects.get(draft=draft)
    run_publication(tenant.pk, publication.pk)
    page = browser.get(path_of(dataset, draft)).content.decode()
    assert "VAULT_DATA_4344" in page
    assert '<code class="v-break">a</code>' in page
    assert browser.post(path_of(dataset, draft), {"do": "discard"})["Location"] == path_of(dataset)
    assert browser.get(path_of(dataset, draft)).status_code == 404


def test_who_may_not_write_or_read_sees_no_forms_and_no_ids(tenant):
    dataset = filled(tenant)
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "unmistakable", "data": {}}])
    reader, viewer = browser_of(tenant, "data_scientist"), browser_of(tenant, "viewer")
    assert "unmistakable" in reader.get(path_of(dataset, draft)).content.decode()
    assert "unmistakable" not in viewer.get(path_of(dataset, draft)).content.decode()
    for browser in (reader, viewer):
        for path in (path_of(dataset), path_of(dataset, draft)):
            assert 'method="post" class="v-options"' not in browser.get(path).content.decode()
        answer, request_id = opened(browser, path_of(dataset, draft), {"do": "discard"}, method="post")
        assert answer.status_code == 403
        with acting(tenant):
            assert AuditEvent.objects.get(request_id=request_id).type == "data.access.denied"
    with acting(tenant):
        assert Draft.objects.count() == 1


def test_a_foreign_draft_has_no_page(tenant, rival):
    dataset = filled(tenant)
    draft = make_draft(tenant, dataset)
    stranger = browser_of(rival, "data_steward")
    assert stranger.get(path_of(dataset)).status_code == 404
    assert stranger.get(path_of(dataset, draft)).status_code == 404
