"""T57, T77: one person planted through every writer is found in every store, erased, and then in nothing that opens."""

import pytest

from compliance.models import SubjectErasure
from compliance.subjects.receipt import read_receipt
from datasets.models import Branch
from datasets.services.erasure import work as record_work
from tests.factories.access import acting
from tests.factories.datasets import read_all
from tests.factories.exports import export, reload_export
from tests.factories.planted import (
    COUNT,
    Person,
    assert_whole,
    canaries_in,
    canaries_in_copies,
    copies_of,
    plant,
    roots_of,
    secrets_now,
)
from tests.factories.subjects import erase_person, matches_of, search_for

pytestmark = pytest.mark.slow
PERSON = Person("zanzibar")


@pytest.fixture
def planted(tenant, monkeypatch):
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)
    return plant(tenant, PERSON)


def test_of_fifty_canaries_none_opens_after_the_erasure_and_every_root_verifies(tenant, planted):
    taken = export(tenant, planted)
    assert taken.has_files
    before, roots = copies_of(tenant, planted), roots_of(tenant, planted)
    assert canaries_in(tenant, planted, PERSON) == set(range(COUNT)), "the control: all are there"
    assert canaries_in_copies(tenant, planted, PERSON, before, secrets_now(tenant)) >= set(range(40))
    search = search_for(tenant, PERSON.identifiers)
    assert {match.store for match in matches_of(tenant, search)} == {"record", "draft", "rejects", "text", "token"}
    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.remaining) == ("succeeded", {})
    assert canaries_in(tenant, planted, PERSON) == set()
    assert canaries_in_copies(tenant, planted, PERSON, before, secrets_now(tenant)) == set()
    assert not reload_export(tenant, taken).has_files
    assert_whole(tenant, planted, roots)
    assert not [record for record in read_all(tenant, planted) if record.id.startswith("c")]
    with acting(tenant):
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
        assert set(Branch.objects.filter(dataset=planted).values_list("name", flat=True)) == {"main", "side"}
    counts = receipt["counts"]
    assert (counts["record"], counts["draft"], counts["rejects"], counts["text"], counts["token"]) == (40, 5, 1, 1, 1)
    assert [part["state"] for part in receipt["datasets"]] == ["erased"]
