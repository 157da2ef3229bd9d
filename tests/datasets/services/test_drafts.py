"""Rules of drafts: what is staged over a version, and what publishing it makes."""

import os
from collections import Counter
from datetime import timedelta

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from datasets.errors import DatasetNotFound, VersionLabelTaken, VersionNotFound
from datasets.errors.branches import BranchMoved, BranchNotFound, BranchProtected
from datasets.errors.drafts import DraftBusy, EmptyDraft, MalformedChanges, VersionSealed, WrongRecordCount
from datasets.models import Branch, Chunk, Dataset, Draft, Publication, StagedRecord, SubjectIndexEntry, Version
from datasets.services.commit import read_profile
from datasets.services.drafts.body import read_document, read_ids, read_incoming
from datasets.services.drafts.expire import expire_drafts
from datasets.services.drafts.find import find_draft_or_none
from datasets.services.drafts.open import discard_draft
from datasets.services.drafts.publication import run_publication
from tests.factories.access import acting, age
from tests.factories.datasets import jsonl, make_dataset, purge, read_all, someone, upload
from tests.factories.drafts import (
    ask_to_publish,
    leave_out,
    make_draft,
    publish,
    put,
    read_draft,
    reloaded,
    staged_kinds,
)
from vaultsite.kernel.jobs import MAX_ATTEMPTS

CANARY = "jane.canary@example.com"


def envelopes(records):
    return jsonl({"id": name, "data": data} for name, data in records.items())


def filled(tenant, records):
    """A dataset whose one version holds these records."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, envelopes(records), envelope=True)
    return dataset


def as_put(records):
    return [{"id": name, "data": data} for name, data in records.items()]


def statuses(results):
    return [result["status"] for result in results]


def data_of(records):
    return {record.id: record.data for record in records}


# Staging


def test_each_record_has_a_result_in_order(tenant):
    draft = make_draft(tenant, filled(tenant, {"a": {"n": 1}, "b": {"n": 2}}))
    results = put(
        tenant, draft, [{"id": "a", "data": {"n": 1}}, {"id": "c", "data": {}}, {"id": "b", "data": {"n": 3}}]
    )
    assert [(result["index"], result["id"], result["status"]) for result in results] == [
        (0, "a", "unchanged"),
        (1, "c", "created"),
        (2, "b", "updated"),
    ]
    assert staged_kinds(tenant, draft) == {"b": "updated", "c": "added"}
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.draft.staged", version=str(draft.pk))
    told = orjson.loads(bytes(event.body))["metadata"]
    assert (told["created"], told["updated"], told["unchanged"]) == (1, 1, 1)


def test_a_bad_record_fails_alone_and_says_why(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    items = (
        b'{"id": "ok", "data": {"n": 1}}',
        b'{"id": "x y", "data": {}}',
        b'{"id": "dup", "data": {"a":1, "a":2}}',
        b'{"id": "nan", "data": {"n": 1e999}}',
        b"7",
        b'{"id": "ok", "data": {}}',
        b'{"id": "jane@example.com", "data": {}}',
        b'{"id": "extra", "data": {}, "more": 1}',
        b'{"data": {"n":\n2}}',
    )
    body = b'{"records": [' + b" , ".join(items) + b"]}"
    incoming = read_incoming(read_document(body).records)
    codes = [item.error.code if item.error else "" for item in incoming]
    malformed = "VAULT_DATA_4101"
    assert codes == ["", "VAULT_DATA_4104", *[malformed] * 3, "VAULT_DATA_4106", "VAULT_DATA_4105", malformed, ""]
    results = put(tenant, draft, [{"id": "ok", "data": {}}, {"id": "x y", "data": {}}, {"data": {}}])
    assert statuses(results) == ["created", "failed", "created"]
    assert (results[1]["code"], results[1]["detail"]) == ("VAULT_DATA_4104", "an id holds A-Z a-z 0-9 . _ ~ : @ - only")
    assert len(staged_kinds(tenant, draft)) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'{"records": {}}',
        b'{"records": [{}',
        b'{"records": [{}]} x',
        b'{"records": [{}], "records": [{}]}',
        b'{"records": [{}], "other": 1}',
        b'{"records": [{"a": 1,}]}',
        b'{"records": [1 2]}',
        b"\xff\xfe",
        b'{"records": ' + b"[" * 100_000,
        b'{"records": [{}], 7: 1}',
    ],
)
def test_a_body_that_is_no_list_of_records_is_refused_whole(body):
    with pytest.raises(MalformedChanges):
        read_document(body)


def test_a_request_brings_one_to_ten_thousand_records():
    def lines(count):
        return b"".join(b'{"data":{}}\n' for _ in range(count))

    assert len(read_incoming(lines(10_000))) == 10_000
    document = orjson.dumps({"records": [{"data": {}}] * 10_001})
    for read in (
        lambda: read_incoming(b"\n\n"),
        lambda: read_incoming(lines(10_001)),
        lambda: read_document(document),
        lambda: read_ids([]),
        lambda: read_ids(["x"] * 10_001),
    ):
        with pytest.raises(WrongRecordCount):
            read()


def test_card_verification_data_is_never_staged(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    results = put(tenant, draft, [{"id": "a", "data": {"cvv": "cvv: 123", "card": "4111 1111 1111 1111 cvv 123"}}])
    assert (statuses(results), results[0]["code"]) == (["failed"], "VAULT_DATA_4014")
    assert staged_kinds(tenant, draft) == {}


def test_a_record_that_becomes_what_the_parent_has_leaves_no_trace(tenant):
    draft = make_draft(tenant, filled(tenant, {"a": {"n": 1}, "b": {"n": 2}}))
    put(tenant, draft, as_put({"a": {"n": 9}, "new": {}}))
    leave_out(tenant, draft, ["b"])
    assert staged_kinds(tenant, draft) == {"a": "updated", "b": "deleted", "new": "added"}
    assert statuses(put(tenant, draft, as_put({"a": {"n": 1}, "b": {"n": 2}}))) == ["updated", "created"]
    assert statuses(leave_out(tenant, draft, ["new", "new", "never", "a"])) == [
        "deleted",
        "failed",
        "failed",
        "deleted",
    ]
    assert staged_kinds(tenant, draft) == {"a": "deleted"}


def test_nothing_staged_lies_in_the_database_in_the_clear(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    put(tenant, draft, [{"id": "a", "data": {"mail": CANARY, "text": "a very special sentence"}}])
    with psycopg.connect(os.environ["VAULT_OWNER_DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT r::text, body FROM records r WHERE draft_id = %s", [draft.pk]).fetchall()
    ((row, body),) = rows
    for secret in (CANARY, "canary", "special", "EMAIL"):
        assert secret not in row
        assert secret.encode() not in body
        assert secret.encode().hex() not in row


def test_a_staged_body_opens_for_its_own_record_only(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    put(tenant, draft, as_put({"a": {"n": 1}, "b": {"n": 2}}))
    with acting(tenant):
        rows = StagedRecord.objects.filter(draft=draft)
        other = rows.get(record_id="b")
        rows.filter(record_id="a").update(body=other.body, secret=other.secret)
    with pytest.raises(Exception, match="could not be opened"):
        read_draft(tenant, draft)


# Reading


def test_a_draft_reads_as_staged_over_its_parent(tenant):
    draft = make_draft(tenant, filled(tenant, {name: {"n": name} for name in "bdfh"}))
    put(tenant, draft, as_put({"a": {}, "d": {"n": 4}, "z": {}}))
    leave_out(tenant, draft, ["f"])
    shown = data_of(read_draft(tenant, draft))
    assert shown == {"a": {}, "b": {"n": "b"}, "d": {"n": 4}, "h": {"n": "h"}, "z": {}}
    assert list(shown) == sorted(shown)
    assert [record.id for record in read_draft(tenant, draft, after="b", limit=2)] == ["d", "h"]


def test_a_masked_reader_sees_staged_records_masked(tenant):
    draft = make_draft(tenant, filled(tenant, {"old": {"mail": CANARY}}))
    put(tenant, draft, [{"id": "new", "data": {"mail": CANARY}, "metadata": {"of": CANARY}}])
    raw = read_draft(tenant, draft, with_findings=True)
    assert {record.data["mail"] for record in raw} == {CANARY}
    assert {finding.entity_type for record in raw for finding in record.findings} >= {"EMAIL_ADDRESS"}
    masked = read_draft(tenant, draft, "data_scientist")
    assert [record.id for record in masked] == ["new", "old"]
    assert CANARY not in repr(masked)
    assert CANARY not in repr(read_draft(tenant, draft, "analyst"))


# Publishing


def test_a_published_draft_is_a_version_like_any_other(tenant):
    dataset = filled(tenant, {"a": {"n": 1}, "b": {"mail": CANARY}, "c": {"n": 3}})
    draft = make_draft(tenant, dataset, label="v7.0.0", description="second thoughts")
    put(tenant, draft, as_put({"a": {"mail": CANARY}, "d": {"mail": "d@example.com"}}))
    leave_out(tenant, draft, ["b"])
    done = publish(tenant, draft)
    version = done.version
    assert (done.status, version.label, version.kind, version.message) == (
        "succeeded",
        "v7.0.0",
        "publish",
        "second thoughts",
    )
    assert (version.parent.label, version.record_count, done.seed) == ("v1.0.0", 3, None)
    expected = {"a": {"mail": CANARY}, "c": {"n": 3}, "d": {"mail": "d@example.com"}}
    assert data_of(read_all(tenant, dataset)) == expected
    assert CANARY not in repr(read_all(tenant, dataset, "data_scientist"))
    assert staged_kinds(tenant, draft) == {}
    with acting(tenant):
        assert read_profile(version) == Counter({("/data/mail", "EMAIL_ADDRESS"): 2})
        assert SubjectIndexEntry.objects.filter(job=done.pk).values_list("record_id").distinct().count() == 2
        (event,) = AuditEvent.objects.filter(type="data.versioned", version="v7.0.0")
        assert orjson.loads(bytes(event.body))["metadata"]["draft"] == str(draft.pk)


def test_a_published_draft_has_the_root_of_an_upload_with_the_same_records_changed(tenant):
    """Records that did not change keep their nonces: only new ones differ between two ways to the same state."""
    dataset = filled(tenant, {f"r{index:03}": {"n": index} for index in range(300)})
    with acting(tenant):
        root = bytes(Version.objects.get().root)
    draft = make_draft(tenant, dataset)
    put(tenant, draft, as_put({"new": {}}))
    publish(tenant, draft)
    again = make_draft(tenant, dataset)
    leave_out(tenant, again, ["new"])
    assert bytes(publish(tenant, again).version.root) == root


def test_an_empty_dataset_gets_its_first_version_from_a_draft(tenant):
    dataset = make_dataset(tenant)
    draft = make_draft(tenant, dataset)
    assert read_draft(tenant, draft) == []
    put(tenant, draft, as_put({"a": {}}))
    assert publish(tenant, draft).version.label == "v1.0.0"
    assert data_of(read_all(tenant, dataset)) == {"a": {}}


def test_a_published_draft_is_sealed_and_a_busy_one_waits(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    put(tenant, draft, as_put({"a": {}}))
    publication = ask_to_publish(tenant, draft)
    for change in (
        lambda: put(tenant, draft, as_put({"b": {}})),
        lambda: leave_out(tenant, draft, ["a"]),
        lambda: ask_to_publish(tenant, draft),
    ):
        with pytest.raises(DraftBusy):
            change()
    run_publication(tenant.pk, publication.pk)
    run_publication(tenant.pk, publication.pk)
    with pytest.raises(VersionSealed):
        put(tenant, draft, as_put({"b": {}}))
    with acting(tenant):
        assert Version.objects.count() == 1


def test_a_draft_that_changes_nothing_is_not_published(tenant):
    draft = make_draft(tenant, filled(tenant, {"a": {}}))
    with pytest.raises(EmptyDraft):
        ask_to_publish(tenant, draft)


def test_a_moved_branch_is_named_and_a_rebase_offered(tenant):
    dataset = filled(tenant, {"a": {"n": 1}, "b": {"n": 1}})
    slow, fast = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, slow, as_put({"a": {"n": 2}, "mine": {}}))
    put(tenant, fast, as_put({"b": {"n": 2}, "theirs": {}}))
    publish(tenant, fast)
    with pytest.raises(BranchMoved) as caught:
        ask_to_publish(tenant, slow)
    assert caught.value.extra == {"merge_base": "v1.0.0", "head": "v1.1.0", "rebase": True}
    done = publish(tenant, slow, rebase=True)
    assert done.version.parent.label == "v1.1.0"
    expected = {"a": {"n": 2}, "b": {"n": 2}, "mine": {}, "theirs": {}}
    assert data_of(read_all(tenant, dataset)) == expected


def test_a_rebase_over_changes_of_the_same_records_names_them(tenant):
    dataset = filled(tenant, {name: {"n": 1} for name in ("both", "same", "gone", "kept")})
    slow, fast = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, slow, as_put({"both": {"n": 2}, "same": {"n": 5}, "gone": {"n": 2}, "new": {"n": 1}}))
    put(tenant, fast, as_put({"both": {"n": 3}, "same": {"n": 5}, "new": {"n": 2}}))
    leave_out(tenant, slow, ["kept"])
    leave_out(tenant, fast, ["gone", "kept"])
    publish(tenant, fast)
    done = publish(tenant, slow, rebase=True)
    assert (done.status, done.error["code"], done.error["status"]) == ("failed", "VAULT_DATA_4344", 409)
    assert (done.error["ids"], done.error["conflicts"]) == (["both", "gone", "new"], 3)
    put(tenant, slow, as_put({"both": {"n": 3}}))
    assert data_of(read_draft(tenant, slow))["both"] == {"n": 3}


def test_a_branch_that_moves_while_a_draft_is_built_makes_it_fail_and_open_again(tenant):
    dataset = filled(tenant, {"a": {}})
    draft = make_draft(tenant, dataset)
    put(tenant, draft, as_put({"b": {}}))
    publication = ask_to_publish(tenant, draft)
    upload(tenant, dataset, envelopes({"z": {}}), envelope=True, mode="append")
    run_publication(tenant.pk, publication.pk)
    done = reloaded(tenant, publication)
    assert (done.status, done.error["code"], done.error["merge_base"]) == ("failed", "VAULT_DATA_4306", "v1.0.0")
    assert done.seed is None
    with acting(tenant):
        assert Draft.objects.get(pk=draft.pk).status == "draft"
        assert AuditEvent.objects.filter(type="data.publish.failed").count() == 1
        assert not Chunk.objects.filter(blob__job=publication.pk).exists()
    assert publish(tenant, draft, rebase=True).version.record_count == 3


def test_an_erasure_meanwhile_makes_it_build_again(tenant, monkeypatch):
    from datasets.services.drafts import publication as work

    dataset = filled(tenant, {"a": {}})
    draft = make_draft(tenant, dataset)
    put(tenant, draft, as_put({"b": {}}))
    publication, built = ask_to_publish(tenant, draft), []

    def erasing(*args, **kwargs):
        tree = real(*args, **kwargs)
        built.append(tree)
        if len(built) == 1:
            with acting(tenant):
                Dataset.objects.filter(pk=dataset.pk).update(erasure_epoch=5)
                StagedRecord.objects.filter(draft=draft, record_id="b").update(updated_at="2020-01-01T00:00:00Z")
        return tree

    real = work.build
    monkeypatch.setattr(work, "build", erasing)
    run_publication(tenant.pk, publication.pk)
    assert (reloaded(tenant, publication).status, len(built)) == ("succeeded", 2)
    assert built[0].root == built[1].root


def test_staged_records_are_scanned_again_by_new_detectors(tenant):
    dataset = make_dataset(tenant)
    draft = make_draft(tenant, dataset)
    put(tenant, draft, as_put({"a": {"mail": CANARY}}))
    with acting(tenant):
        StagedRecord.objects.filter(draft=draft).update(detector=b"another set")
    publish(tenant, draft)
    assert CANARY not in repr(read_all(tenant, dataset, "data_scientist"))


def test_a_publication_tried_too_often_gives_the_draft_back(tenant):
    draft = make_draft(tenant, make_dataset(tenant))
    put(tenant, draft, as_put({"a": {}}))
    publication = ask_to_publish(tenant, draft)
    with acting(tenant):
        Publication.objects.filter(pk=publication.pk).update(attempt=MAX_ATTEMPTS)
    run_publication(tenant.pk, publication.pk)
    assert (reloaded(tenant, publication).status, reloaded(tenant, publication).seed) == ("failed", None)
    assert publish(tenant, draft).status == "succeeded"


# Names, branches, ends


def test_labels_of_versions_and_open_drafts_are_taken(tenant):
    dataset = filled(tenant, {"a": {}})
    draft = make_draft(tenant, dataset, label="v2.0.0")
    for label in ("v1.0.0", "v2.0.0"):
        with pytest.raises(VersionLabelTaken):
            make_draft(tenant, dataset, label=label)
    with acting(tenant):
        assert find_draft_or_none(dataset.pk, "v2.0.0") == draft
        discard_draft(someone(tenant, "data_steward"), dataset_id=dataset.pk, name="v2.0.0")
    make_draft(tenant, dataset, label="v2.0.0")


def test_a_draft_may_start_at_any_version_and_belongs_to_one_branch(tenant):
    dataset = filled(tenant, {"a": {}})
    upload(tenant, dataset, envelopes({"b": {}}), envelope=True, mode="append")
    with acting(tenant):
        first = Version.objects.get(label="v1.0.0")
        Branch.objects.create(dataset=dataset, name="dev", head=first)
        Branch.objects.create(dataset=dataset, name="safe", head=first, is_protected=True)
    assert data_of(read_draft(tenant, make_draft(tenant, dataset, parent="v1.0.0"))) == {"a": {}}
    draft = make_draft(tenant, dataset, parent="dev")
    assert (draft.branch, draft.parent) == ("dev", first)
    put(tenant, draft, as_put({"c": {}}))
    assert publish(tenant, draft).version.parent == first
    assert data_of(read_all(tenant, dataset)) == {"a": {}, "b": {}}
    assert data_of(read_all(tenant, dataset, version="dev")) == {"a": {}, "c": {}}
    for facts, error in (({"branch": "nowhere"}, BranchNotFound), ({"parent": "nothing"}, VersionNotFound)):
        with pytest.raises(error):
            make_draft(tenant, dataset, **facts)
    safe = make_draft(tenant, dataset, branch="safe")
    put(tenant, safe, as_put({"c": {}}))
    with pytest.raises(BranchProtected):
        ask_to_publish(tenant, safe)


def test_a_discarded_draft_is_gone_with_all_that_was_staged(tenant):
    dataset = filled(tenant, {"a": {}})
    draft = make_draft(tenant, dataset)
    put(tenant, draft, as_put({"b": {}}))
    with acting(tenant):
        discard_draft(someone(tenant, "data_steward"), dataset_id=dataset.pk, name=str(draft.pk))
        assert not StagedRecord.objects.exists()
        assert not Draft.objects.exists()
        assert AuditEvent.objects.filter(type="data.draft.opened").count() == 1
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.draft.discarded").count() == 1


def test_a_draft_nobody_changes_is_announced_once_and_then_removed(tenant):
    dataset = filled(tenant, {"a": {}})
    soon, fresh, over = (make_draft(tenant, dataset) for _ in range(3))
    for draft in (soon, over):
        put(tenant, draft, as_put({"b": {}}))
    with acting(tenant):
        Draft.objects.filter(pk=soon.pk).update(expires_at=fresh.expires_at - timedelta(days=13))
    age(over, expires_at=timedelta(minutes=1))
    for _ in range(2):
        expire_drafts(tenant.pk)
        with acting(tenant):
            events = AuditEvent.objects.filter(type__in=("data.draft.expiring", "data.draft.expired"))
            assert {(event.type, event.version) for event in events} == {
                ("data.draft.expiring", str(soon.pk)),
                ("data.draft.expired", str(over.pk)),
            }
            assert events.count() == 2
            assert set(Draft.objects.values_list("pk", flat=True)) == {soon.pk, fresh.pk}
            assert set(StagedRecord.objects.values_list("draft_id", flat=True)) == {soon.pk}
    put(tenant, soon, as_put({"c": {}}))
    with acting(tenant):
        again = Draft.objects.get(pk=soon.pk)
    assert again.warned_at is None
    assert again.expires_at > fresh.expires_at


def test_a_purged_dataset_takes_its_drafts_along(tenant):
    dataset = filled(tenant, {"a": {}})
    draft, other = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, draft, as_put({"b": {}}))
    put(tenant, other, as_put({"c": {}}))
    publish(tenant, other)
    purge(tenant, dataset)
    with acting(tenant):
        for model in (Draft, StagedRecord, Publication, Version):
            assert not model.objects.exists(), model


def test_drafts_of_another_tenant_do_not_exist(tenant, rival):
    draft = make_draft(tenant, filled(tenant, {"a": {}}))
    put(tenant, draft, as_put({"b": {}}))
    for look in (lambda: put(rival, draft, as_put({"b": {}})), lambda: read_draft(rival, draft)):
        with pytest.raises(DatasetNotFound):
            look()
    with acting(rival):
        assert not StagedRecord.objects.exists()


# A model of it all

NAMES = st.sampled_from([f"r{index}" for index in range(8)])
RECORDS = st.dictionaries(NAMES, st.fixed_dictionaries({"n": st.integers(0, 2)}), min_size=1, max_size=6)
STEPS = st.lists(st.one_of(RECORDS, st.lists(NAMES, min_size=1, max_size=4, unique=True)), min_size=1, max_size=6)


@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],  # every example is a dataset of its own: shrinking takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=RECORDS, steps=STEPS)
def test_a_draft_is_a_dict_laid_over_its_parent(tenant, before, steps):
    dataset, model = filled(tenant, before), dict(before)
    draft = make_draft(tenant, dataset)
    for step in steps:
        if isinstance(step, dict):
            expected = [
                "created" if name not in model else "unchanged" if model[name] == data else "updated"
                for name, data in step.items()
            ]
            assert statuses(put(tenant, draft, as_put(step))) == expected
            model |= step
        else:
            expected = ["deleted" if name in model else "failed" for name in step]
            assert statuses(leave_out(tenant, draft, step)) == expected
            model = {name: data for name, data in model.items() if name not in step}
    assert data_of(read_draft(tenant, draft)) == model
    kinds = {name: "added" if name not in before else "updated" for name in model if model[name] != before.get(name)}
    assert staged_kinds(tenant, draft) == kinds | {name: "deleted" for name in before if name not in model}
    if model == before:
        with pytest.raises(EmptyDraft):
            ask_to_publish(tenant, draft)
    else:
        assert publish(tenant, draft).version.record_count == len(model)
    assert data_of(read_all(tenant, dataset)) == model
