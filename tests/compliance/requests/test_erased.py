"""A request for erasure is answered for everything that any search found, and anybody entered."""

import threading

from django.db import connections

from compliance.errors.requests import RequestNotErased
from compliance.errors.subjects import SubjectErasureExists
from compliance.models import MatchState, SubjectErasure
from compliance.models.request import RefusalGround
from compliance.requests.cases import answer
from compliance.requests.erasures import start_erasure
from compliance.subjects.review import decide_matches
from compliance.tasks import continue_subject_search
from datasets.models import Dataset
from tests.compliance.holds.test_races import wait_until_stuck
from tests.compliance.requests.test_searches import JANE, dataset, erased, patient_readers, review, searched
from tests.factories.access import acting
from tests.factories.api import send
from tests.factories.datasets import read_all, someone
from tests.factories.subjects import matches_of

__all__ = ["dataset", "patient_readers", "searched"]
NOBODY = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": "nobody.here@example.net"}]}
AGAIN = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": JANE}]}


def search_again(tenant, act, request, body):
    status, begun = act(request, "search", body)
    assert status == 202, begun
    continue_subject_search(str(tenant.pk), begun["search"]["id"])
    return begun["search"]["id"]


def answered(act, request, **ground):
    status, said = act(request, "answer", {"message": "Done."} | ground)
    return said["outcome"] if status == 200 else said.get("reason", said["code"])


def of(dataset, *record_ids):
    return {"matches": [{"dataset_id": str(dataset.pk), "record_ids": list(record_ids)}]}


def test_a_later_search_hides_nothing_that_an_earlier_one_found(tenant, dataset, officer, searched, act):
    request, first = searched(type="erasure")
    review(officer, first)
    search_again(tenant, act, request, NOBODY)
    assert answered(act, request) == "not_erased"
    erasure = erased(tenant, act, request)
    assert str(erasure.search_id) == first, "what is left is erased by the search that found it"
    assert [record.id for record in read_all(tenant, dataset)] == ["other"]
    assert answered(act, request) == "fulfilled"


def test_what_an_earlier_search_found_is_settled_once_it_is_rejected(tenant, dataset, officer, searched, act):
    request, first = searched(type="erasure")
    review(officer, first, "rejected")
    search_again(tenant, act, request, NOBODY)
    found = [str(match.pk) for match in matches_of(tenant, first) if match.state == "accepted"]
    path = f"/subject-searches/{first}/matches"
    assert send(officer, "POST", path, {"matches": found, "decision": "rejected"}).status_code == 200
    assert answered(act, request) == "fulfilled"


def test_a_later_search_hides_neither_an_erasure_under_way_nor_what_it_keeps(tenant, dataset, officer, searched, act):
    request, first = searched(type="erasure")
    review(officer, first)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[0] == 202
    act(request, "move", {"to": "review"})
    search_again(tenant, act, request, NOBODY)
    assert answered(act, request) == "queued"
    with acting(tenant):
        SubjectErasure.objects.filter(search=first).delete()
    erased(tenant, act, request)
    act(request, "move", {"to": "review"})
    search_again(tenant, act, request, NOBODY)
    assert answered(act, request) == "VAULT_COMP_8071"
    assert answered(act, request, ground="legal_claims") == "partly"


def test_what_a_hold_kept_needs_no_ground_once_it_was_erased_after_all(tenant, dataset, officer, searched, act):
    request, _ = searched(AGAIN, type="erasure")
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    erased(tenant, act, request)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    act(request, "move", {"to": "review"})
    search_again(tenant, act, request, AGAIN)
    assert answered(act, request) == "not_erased"
    erased(tenant, act, request)
    assert answered(act, request) == "fulfilled"


def test_a_record_that_is_entered_after_the_erasure_is_erased_too(tenant, dataset, officer, searched, act):
    request, _ = searched(AGAIN, type="erasure")
    erased(tenant, act, request)
    act(request, "move", {"to": "review"})
    assert act(request, "matches", of(dataset, "mail", "other"), "PUT")[0] == 200
    assert answered(act, request) == "not_erased"
    search_again(tenant, act, request, NOBODY)
    erased(tenant, act, request)
    assert [record.id for record in read_all(tenant, dataset)] == ["name", "number"]
    assert answered(act, request) == "fulfilled"


def refused_in_thread(tenant, who, kind, act):
    """A thread that does something and is refused so."""
    seen = []

    def run():
        try:
            with acting(tenant, who):
                act(who)
        except kind as error:
            seen.append(error)
        finally:
            connections.close_all()

    return threading.Thread(target=run), seen


def test_nobody_rejects_a_match_while_its_erasure_begins(tenant, dataset, officer, searched):
    request, search = searched(AGAIN, type="erasure")
    who = someone(tenant, "privacy_officer")
    ids = [match.pk for match in matches_of(tenant, search)]
    told = {"search_id": search, "match_ids": ids, "decision": MatchState.REJECTED}
    thread, seen = refused_in_thread(tenant, who, SubjectErasureExists, lambda by: decide_matches(by, **told))
    with acting(tenant, who):
        start_erasure(who, request_id=request["id"], legal_basis="art17-1-a")
        thread.start()
        wait_until_stuck(1)
    thread.join(timeout=60)
    assert seen


def test_nobody_answers_while_a_match_is_decided_on(tenant, dataset, officer, searched):
    request, search = searched(AGAIN, type="erasure")
    who = someone(tenant, "privacy_officer")
    ids = [match.pk for match in matches_of(tenant, search)]
    with acting(tenant, who):
        decide_matches(who, search_id=search, match_ids=ids, decision=MatchState.REJECTED)
    given = {"request_id": request["id"], "message": "Done.", "ground": RefusalGround.NONE}
    thread, seen = refused_in_thread(tenant, who, RequestNotErased, lambda by: answer(by, **given))
    with acting(tenant, who):
        decide_matches(who, search_id=search, match_ids=ids, decision=MatchState.ACCEPTED)
        thread.start()
        wait_until_stuck(1)
    thread.join(timeout=60)
    assert seen
