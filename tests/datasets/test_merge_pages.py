"""Versions side by side, merge requests and conflicts in the browser."""

import pytest

from datasets.models import Branch, Merge, MergeConflict, MergeRequest
from datasets.services.merges.work import run_merge
from datasets.word_diff import MAX_WORDS, Piece, compare_words
from tests.factories.access import acting
from tests.factories.merges import merged, parted, reload_merge
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

DATASETS = "/admin/datasets/dataset/"
CANARY = "canary.lovelace@example.com"
BASE = [{"id": name, "text": f"the text of {name}", "n": 0} for name in "abc"]
OURS = [row | {"a": {"text": "the <b>ours</b> of a"}, "b": {"n": 1}}.get(row["id"], {}) for row in BASE]
THEIRS = [row | {"a": {"text": f"the mail {CANARY} of a"}, "b": {"text": "x"}}.get(row["id"], {}) for row in BASE]


def test_words_that_differ_are_marked_on_both_sides():
    sides = compare_words("It is 12, I think.", "It was 12, I think!")
    assert sides.before == (
        Piece("It ", False),
        Piece("is", True),
        Piece(" 12, I think", False),
        Piece(".", True),
    )
    assert "".join(piece.text for piece in sides.after) == "It was 12, I think!"
    assert [piece.text for piece in sides.after if piece.is_changed] == ["was", "!"]


def test_texts_too_long_to_compare_differ_as_a_whole():
    sides = compare_words("a " * MAX_WORDS, "b")
    assert [piece.is_changed for piece in sides.before] == [True]
    assert compare_words("", "b").before == ()


def test_versions_stand_side_by_side_and_nothing_is_markup(tenant):
    dataset = parted(tenant, BASE, OURS, THEIRS)
    path = f"{DATASETS}{dataset.pk}/compare/"
    steward = browser_of(tenant, "data_steward")
    asked, _ = opened(steward, path)
    assert "For what purpose?" in asked.text
    page, request_id = opened(steward, f"{path}?purpose=evaluation&from=work&to=main")
    assert page.status_code == 200
    assert "2 changed records" in page.text
    assert "&lt;b&gt;ours&lt;/b&gt;" in page.text.replace("<ins>", "").replace("</ins>", "")
    assert "<b>ours" not in page.text
    assert "<ins>" in page.text
    assert [event.type for event in events_of(tenant, request_id)].count("data.access.read") == 1
    empty, _ = opened(steward, f"{path}?from=work&to=main&kind=added")
    assert "Nothing differs" in empty.text
    masked = browser_of(tenant, "data_scientist", purpose="evaluation")
    assert CANARY not in opened(masked, f"{path}?from=work&to=main")[0].text
    assert opened(browser_of(tenant, "viewer"), path)[0].status_code == 403
    assert opened(steward, f"{path}?from=v9.9.9")[0].status_code == 404


def test_a_conflict_is_resolved_in_the_browser(tenant):
    dataset = parted(tenant, BASE, OURS, THEIRS)
    merge = merged(tenant, dataset)
    steward, path = browser_of(tenant, "data_steward", purpose="evaluation"), f"{DATASETS}merges/{merge.pk}/"
    page, _ = opened(steward, path)
    assert "1, 1 unresolved" in page.text
    assert CANARY in page.text
    assert CANARY not in opened(browser_of(tenant, "data_scientist", purpose="evaluation"), path)[0].text
    with acting(tenant):
        conflict = str(MergeConflict.objects.get(merge=merge).pk)
    early, _ = opened(steward, path, {"do": "continue"}, method="post")
    assert (early.status_code, "VAULT_DATA_4364" in early.text) == (409, True)
    form = {"do": "resolve", "conflict": conflict}
    for bad in ({}, {"resolution": "record", "record": "{"}, {"resolution": "record", "record": '{"data": 1}'}):
        assert opened(steward, path, form | bad, method="post")[0].status_code == 400
    typed = '{"data": {"id": "a", "text": "by hand"}}'
    done, _ = opened(steward, path, form | {"resolution": "record", "record": typed}, method="post")
    assert (done.status_code, done["Location"]) == (302, path)
    assert opened(steward, path, {"do": "continue"}, method="post")[0].status_code == 302
    run_merge(tenant.pk, merge.pk)
    assert reload_merge(tenant, merge).state == "merged"
    assert "merged" in opened(steward, path)[0].text


def test_two_people_merge_into_a_protected_branch(tenant):
    clean = [row | ({"n": 9} if row["id"] == "c" else {}) for row in BASE]
    dataset = parted(tenant, BASE, BASE, clean)
    with acting(tenant):
        Branch.objects.filter(dataset=dataset, name="main").update(is_protected=True)
    author = browser_of(tenant, "data_steward", purpose="evaluation")
    reviewer = browser_of(tenant, "data_steward", purpose="evaluation")
    path = f"{DATASETS}{dataset.pk}/merges/"
    assert "Nobody has asked for a merge yet." in opened(author, path)[0].text
    direct = {"do": "merge", "source": "work", "target": "main"}
    refused, _ = opened(author, path, direct, method="post")
    assert (refused.status_code, "VAULT_DATA_4302" in refused.text) == (409, True)
    asked, _ = opened(author, path, {"do": "ask", "title": "", "source": "work", "target": "main"}, method="post")
    assert asked.status_code == 400
    asked, _ = opened(author, path, {"do": "ask", "title": "nine", "source": "work", "target": "main"}, method="post")
    place = asked["Location"]
    mine, _ = opened(author, place)
    assert "your own work" in mine.text
    assert 'value="approve"' not in mine.text
    assert "1 changed record" in opened(reviewer, place)[0].text
    approval = {"do": "review", "verdict": "approve", "comment": "well done"}
    assert opened(author, place, approval, method="post")[0].status_code == 403
    assert opened(reviewer, place, approval, method="post")[0].status_code == 302
    assert "well done" in opened(author, place)[0].text
    begun, _ = opened(author, place, {"do": "merge"}, method="post")
    with acting(tenant):
        merge = Merge.objects.get(dataset=dataset)
    assert begun["Location"] == f"{DATASETS}merges/{merge.pk}/"
    assert "looks again by itself" in opened(author, begun["Location"])[0].text
    run_merge(tenant.pk, merge.pk)
    with acting(tenant):
        assert MergeRequest.objects.get(dataset=dataset).state == "merged"
    assert "It became" in opened(author, place)[0].text
    assert "nine" in opened(author, path)[0].text


def test_a_merge_of_another_organization_is_no_page(tenant, rival):
    merge = merged(rival, parted(rival, BASE[:1], BASE[:1], BASE[:2]))
    steward = browser_of(tenant, "data_steward", purpose="evaluation")
    assert opened(steward, f"{DATASETS}merges/{merge.pk}/")[0].status_code == 404
    assert opened(steward, f"{DATASETS}{merge.dataset_id}/merges/")[0].status_code == 404
    assert opened(steward, f"{DATASETS}{merge.dataset_id}/compare/?purpose=evaluation")[0].status_code == 404
