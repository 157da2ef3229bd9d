"""What changed between two versions, on the reader's view."""

import json

import pytest

from datasets.errors import NotScanned, VersionNotFound
from datasets.json_merge import apply_members
from datasets.models import FindingsBlob
from datasets.services.diff import count_changes, open_comparison, shown_changes
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from vaultsite.kernel.tenancy.scope import tenant_scope

CANARY = "canary.lovelace@example.com"
OTHER = "canary.hopper@example.com"


def versions(tenant, *states):
    """A dataset with one version for each of these lists of rows."""
    dataset = make_dataset(tenant)
    for rows in states:
        done = upload(tenant, dataset, jsonl(rows))
        assert done.status == "succeeded", done.error
    return dataset


def compare(tenant, dataset, before="v1.0.0", after="v1.1.0", role="data_steward"):
    reader = someone(tenant, role)
    with tenant_scope(tenant.pk, reader):
        return open_comparison(reader, dataset_id=dataset.pk, before=before, after=after)


def changes(tenant, dataset, **options):
    return list(shown_changes(compare(tenant, dataset, **options)))


BEFORE = [{"id": f"r{n:03d}", "n": n, "text": f"row {n}", "filler": "x" * 300} for n in range(400)]
AFTER = [row | {"text": "changed"} if row["n"] % 50 == 0 else row for row in BEFORE if row["n"] % 90 != 7] + [
    {"id": "s1", "n": 1}
]


def test_the_difference_names_what_was_added_removed_and_modified(tenant):
    dataset = versions(tenant, BEFORE, AFTER)
    found = changes(tenant, dataset)
    assert [change.id for change in found] == sorted(change.id for change in found)
    by_kind = {
        kind: [change.id for change in found if change.kind == kind] for kind in ("added", "removed", "modified")
    }
    assert by_kind == {
        "added": ["s1"],
        "removed": ["r007", "r097", "r187", "r277", "r367"],
        "modified": [f"r{n:03d}" for n in range(0, 400, 50)],
    }
    assert count_changes(compare(tenant, dataset)) == {"added": 1, "removed": 5, "modified": 8, "erased": 0}
    modified = next(change for change in found if change.id == "r050")
    assert [(member.pointer, member.before, member.after) for member in modified.members] == [
        ("/data/text", "row 50", "changed")
    ]


def test_applying_the_difference_to_the_one_version_gives_the_other(tenant):
    dataset = versions(tenant, BEFORE, AFTER)
    for before, after in (("v1.0.0", "v1.1.0"), ("v1.1.0", "v1.0.0")):
        state = {
            record.id: {"data": record.data, "metadata": record.metadata} for record in _all(tenant, dataset, before)
        }
        for change in changes(tenant, dataset, before=before, after=after):
            if change.kind == "removed":
                del state[change.id]
            elif change.kind == "added":
                state[change.id] = {"data": change.after.data, "metadata": change.after.metadata}
            else:
                state[change.id] = apply_members(state[change.id], change.members)
        wanted = {
            record.id: {"data": record.data, "metadata": record.metadata} for record in _all(tenant, dataset, after)
        }
        assert state == wanted


def _all(tenant, dataset, version):
    return read_all(tenant, dataset, version=version)


def test_a_version_does_not_differ_from_itself(tenant):
    dataset = versions(tenant, BEFORE)
    assert changes(tenant, dataset, before="v1.0.0", after="main") == []


def test_without_a_first_side_a_version_is_compared_with_its_parent(tenant):
    dataset = versions(tenant, BEFORE[:3], BEFORE[:4])
    assert [change.id for change in changes(tenant, dataset, before="", after="main")] == ["r003"]
    assert len(changes(tenant, dataset, before="", after="v1.0.0")) == 3


def test_the_difference_can_be_taken_up_after_any_id(tenant):
    dataset = versions(tenant, BEFORE, AFTER)
    ids = [change.id for change in changes(tenant, dataset)]
    for last in (ids[0], ids[6], "r049~", ids[-1]):
        rest = list(shown_changes(compare(tenant, dataset), after_id=last))
        assert [change.id for change in rest] == [each for each in ids if each > last]


@pytest.mark.parametrize("role", ["data_scientist", "analyst"])
def test_no_raw_value_is_in_the_difference_of_a_reader_of_masked_records(tenant, role):
    before = [{"id": "a", "text": f"write to {CANARY}", "n": 1}, {"id": "b", "text": f"{CANARY}"}]
    after = [{"id": "a", "text": f"write to {OTHER} now", "n": 1}, {"id": "c", "text": f"mail {OTHER}"}]
    dataset = versions(tenant, before, after)
    found = changes(tenant, dataset, role=role)
    assert [(change.id, change.kind) for change in found] == [("a", "modified"), ("b", "removed"), ("c", "added")]
    said = json.dumps([change.as_json(is_whole=True) for change in found])
    for secret in (CANARY, OTHER, "lovelace", "hopper"):
        assert secret not in said


def test_a_change_that_the_view_hides_is_neither_listed_nor_counted(tenant):
    """Both addresses are as long and mask alike: to this reader nothing happened."""
    dataset = versions(tenant, [{"id": "a", "text": "carla@example.com"}], [{"id": "a", "text": "carlo@example.com"}])
    assert [change.id for change in changes(tenant, dataset)] == ["a"]
    for role in ("data_scientist", "analyst"):
        assert changes(tenant, dataset, role=role) == []
        assert count_changes(compare(tenant, dataset, role=role))["modified"] == 0


def test_what_was_not_scanned_is_not_compared_for_a_reader_of_masked_records(tenant):
    dataset = versions(tenant, BEFORE, AFTER)
    with acting(tenant):
        FindingsBlob.objects.all().delete()
    assert len(changes(tenant, dataset)) == 14
    with pytest.raises(NotScanned):
        changes(tenant, dataset, role="data_scientist")


def test_a_version_that_is_not_there_is_not_compared(tenant):
    dataset = versions(tenant, BEFORE[:2])
    for names in ({"before": "v9.9.9"}, {"after": "v9.9.9"}, {"after": ""}):
        with pytest.raises(VersionNotFound):
            compare(tenant, dataset, **({"before": "v1.0.0", "after": "main"} | names))
