"""Anonymizing a dataset in place: no version shows what was found, and everything else stays."""

import pytest

from access.models import Tenant
from anonymization.findings import Finding
from anonymization.services.tokens import TokenScope, detokenize_values, tokenize_values
from datasets.errors import DatasetHeld, DatasetNotFound, NotScanned
from datasets.models import (
    Branch,
    Chunk,
    Dataset,
    ErasedRecord,
    Erasure,
    FindingsBlob,
    Ingest,
    Masking,
    QuarantinedRecord,
    StagedRecord,
    SubjectIndexEntry,
    Version,
    VersionKind,
)
from datasets.services.branches import create_branch
from datasets.services.erasure.replay import ErasureFacts, erasures_asked_for, replay_erasure
from datasets.services.erasure.suppress import suppressed
from datasets.services.erasure.work import run_erasure
from datasets.services.keys import load_keys
from datasets.services.masking.content import masked, personal
from datasets.services.masking.found import count_findings, survey
from datasets.services.masking.start import begin_masking
from datasets.services.masking.work import ROUNDS, run_masking
from datasets.services.pack_reader import PackReader
from datasets.services.write import run_ingest
from datasets.tree.reader import iterate_chunks, iterate_records
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload, someone, upload
from tests.factories.detectors import detecting
from tests.factories.drafts import make_draft, put, staged_kinds
from tests.factories.upkeep import scrub
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID

ADA, GRACE, MARY = "ada.lovelace@example.com", "grace.hopper@example.com", "mary.shelley@example.com"
PEOPLE = (ADA, GRACE, MARY)


def rows(*texts: str) -> bytes:
    return jsonl([{"id": f"r{index}", "text": text} for index, text in enumerate(texts)])


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    """Two versions: in the second one record lost its person, one got another, one is as it was, one has none."""
    made = make_dataset(tenant)
    upload(tenant, made, rows(f"Write to {ADA}", f"Ask {ADA}", f"Call {GRACE}", "Nobody at all"))
    upload(tenant, made, rows("Write to us", f"Ask {MARY}", f"Call {GRACE}", "Nobody at all"))
    return made


def mask(tenant: Tenant, dataset: Dataset) -> Masking:
    """To the end, its erasures included."""
    with acting(tenant):
        locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
        begun = begin_masking(locked, reason="retention", by=SYSTEM_PRINCIPAL_ID)
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        asked = list(Erasure.objects.filter(dataset=dataset, spares=True).values_list("pk", flat=True))
    for erasure in asked:
        run_erasure(tenant.pk, erasure)
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        return Masking.objects.get(pk=begun.pk)


def texts(tenant: Tenant, dataset: Dataset) -> dict[str, dict[str, str]]:
    """Label of every version -> id -> text."""
    with acting(tenant):
        reader = PackReader(load_keys(dataset.pk))
        roots = {one.label: bytes(one.root) for one in Version.objects.filter(dataset=dataset)}
    return {
        label: {record.id: record.data["text"] for record in iterate_records(reader, root)}
        for label, root in roots.items()
    }


def test_no_version_shows_what_was_found_and_the_rest_stays(tenant: Tenant, dataset: Dataset) -> None:
    done = mask(tenant, dataset)
    assert (done.status, done.error, done.masked_count, done.version_count, done.erased_count) == (
        "succeeded", None, 2, 1, 3,
    )  # fmt: skip
    shown = texts(tenant, dataset)
    assert not [person for person in PEOPLE if person in repr(shown)]
    assert shown == {
        "v1.0.0": {"r3": "Nobody at all"},
        "v1.1.0": {"r0": "Write to us", "r3": "Nobody at all"},
        "v1.2.0": {
            "r0": "Write to us", "r1": "Ask <EMAIL_ADDRESS>", "r2": "Call <EMAIL_ADDRESS>", "r3": "Nobody at all",
        },
    }  # fmt: skip
    with acting(tenant):
        newest = Version.objects.get(dataset=dataset, label="v1.2.0")
        assert (newest.kind, newest.author, newest.record_count) == (VersionKind.MASK, SYSTEM_PRINCIPAL_ID, 4)
        assert done.upto == newest.sequence
        assert not SubjectIndexEntry.objects.filter(dataset=dataset).exists()
        assert count_findings(dataset) == 0


def test_old_roots_still_verify_with_tombstones(tenant: Tenant, dataset: Dataset) -> None:
    with acting(tenant):
        before = {one.label: (bytes(one.root), bytes(one.digest)) for one in Version.objects.filter(dataset=dataset)}
    mask(tenant, dataset)
    with acting(tenant):
        reader = PackReader(load_keys(dataset.pk))
        for label, facts in before.items():
            found = Version.objects.get(dataset=dataset, label=label)
            assert (bytes(found.root), bytes(found.digest)) == facts
    for root, _ in before.values():
        chunks = [chunk for _, chunk in iterate_chunks(reader, root)]
        assert [len(chunk.leaves()) for chunk in chunks] == [4]  # decoded and verified against the digest above them


def test_again_it_finds_nothing_to_do(tenant: Tenant, dataset: Dataset) -> None:
    mask(tenant, dataset)
    with acting(tenant):
        before = Version.objects.filter(dataset=dataset).count()
    again = mask(tenant, dataset)
    assert (again.status, again.masked_count, again.version_count, again.erased_count) == ("succeeded", 0, 0, 0)
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset).count() == before


def test_every_branch_is_masked_and_what_came_since_is_masked_next_time(tenant: Tenant, dataset: Dataset) -> None:
    principal = someone(tenant, "data_steward")
    with acting(tenant, principal):
        create_branch(principal, dataset_id=dataset.pk, name="other", source="v1.0.0")
    assert mask(tenant, dataset).version_count == 2
    assert not [person for person in PEOPLE if person in repr(texts(tenant, dataset))]
    upload(tenant, dataset, rows(f"Back to {ADA}", "Ask nobody", "Call nobody", "Nobody at all"))
    later = mask(tenant, dataset)
    assert (later.masked_count, later.version_count, later.erased_count) == (1, 1, 1)
    shown = texts(tenant, dataset)
    assert ADA not in repr(shown)
    with acting(tenant):
        heads = {one.name: one.head.label for one in Branch.objects.filter(dataset=dataset).select_related("head")}
    assert shown[heads["main"]]["r0"] == "Back to <EMAIL_ADDRESS>"
    assert shown[heads["other"]]["r1"] == "Ask <EMAIL_ADDRESS>"


def test_what_is_written_between_the_versions_and_the_erasure_is_looked_at_again(tenant, dataset, monkeypatch) -> None:
    calls = []

    def surveyed(*given):
        found = survey(*given)
        if not calls:
            upload(tenant, dataset, rows("Write to us", "Ask us", f"Call {MARY}", "Nobody at all"))
        calls.append(found)
        return found

    monkeypatch.setattr("datasets.services.masking.work.survey", surveyed)
    done = mask(tenant, dataset)
    assert (done.status, len(calls), done.version_count) == ("succeeded", 2, 2)
    assert not [person for person in PEOPLE if person in repr(texts(tenant, dataset))]


def test_a_dataset_that_is_always_written_to_gives_the_turn_back_and_goes_on(tenant, dataset, monkeypatch) -> None:
    read, writes = [], []

    def surveyed(reader, beat, looked):
        before = len(looked.chunks)
        found = survey(reader, beat, looked)
        read.append(len(looked.chunks) - before)
        if len(writes) < ROUNDS:
            writes.append(f"w{len(writes)}")
            upload(tenant, dataset, jsonl([{"id": writes[-1], "text": "Nobody"}]), mode="append")
        return found

    monkeypatch.setattr("datasets.services.masking.work.survey", surveyed)
    with acting(tenant):
        begun = begin_masking(Dataset.objects.get(pk=dataset.pk), reason="retention", by=SYSTEM_PRINCIPAL_ID)
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        back = Masking.objects.get(pk=begun.pk)
        assert (back.status, back.attempt, back.upto, Erasure.objects.filter(dataset=dataset).count()) == (
            "queued", 0, None, 0,
        )  # fmt: skip
    assert read == [3, 1, 1]  # what was looked through is not read again
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        assert Masking.objects.get(pk=begun.pk).upto is not None
        assert Erasure.objects.filter(dataset=dataset).count() == 1


def test_what_is_staged_or_kept_back_after_the_erasure_was_asked_for_stays(tenant, dataset, settings) -> None:
    before = make_draft(tenant, dataset)
    put(tenant, before, [{"id": "r2", "data": {"text": "typed before"}}, {"id": "r3", "data": {"text": "of nobody"}}])
    with detecting(settings, {}, poison="POISON"):
        said = jsonl([{"id": "r1", "text": "POISON"}, {"id": "new", "text": "Nobody"}])
        under_way = queue_upload(tenant, dataset, said, mode="upsert", on_error="reject")
    with acting(tenant):
        begun = begin_masking(Dataset.objects.get(pk=dataset.pk), reason="retention", by=SYSTEM_PRINCIPAL_ID)
    run_masking(tenant.pk, begun.pk)
    with detecting(settings, {}, poison="POISON"):
        run_ingest(tenant.pk, under_way.pk)
    with acting(tenant):
        waiting = Ingest.objects.get(pk=under_way.pk)
        assert (waiting.status, waiting.quarantined_count) == ("queued", 1)  # until the erasure is over
    after = make_draft(tenant, dataset)
    put(tenant, after, [{"id": "r1", "data": {"text": "typed after"}}])
    with acting(tenant):
        (erasure,) = Erasure.objects.filter(dataset=dataset)
    run_erasure(tenant.pk, erasure.pk)
    with detecting(settings, {}, poison="POISON"):
        run_ingest(tenant.pk, under_way.pk)
    assert (staged_kinds(tenant, before), staged_kinds(tenant, after)) == ({"r3": "updated"}, {"r1": "updated"})
    with acting(tenant):
        kept = QuarantinedRecord.objects.get(dataset=dataset)
        assert (kept.record_id, kept.state, kept.is_kept) == ("r1", "pending", True)


def test_what_was_never_scanned_is_not_begun(tenant: Tenant, dataset: Dataset) -> None:
    FindingsBlob.objects.using("owner").filter(dataset_id=dataset.pk).delete()
    with acting(tenant), pytest.raises(NotScanned):
        begin_masking(Dataset.objects.get(pk=dataset.pk), reason="a", by=SYSTEM_PRINCIPAL_ID)


@pytest.mark.parametrize(("change", "error"), [("legal_hold", DatasetHeld), ("deleted_at", DatasetNotFound)])
def test_what_comes_once_it_has_begun_ends_it(tenant: Tenant, dataset: Dataset, change: str, error: type) -> None:
    with acting(tenant):
        begun = begin_masking(Dataset.objects.get(pk=dataset.pk), reason="retention", by=SYSTEM_PRINCIPAL_ID)
        Dataset.objects.filter(pk=dataset.pk).update(**{change: True if change == "legal_hold" else begun.created_at})
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        ended = Masking.objects.get(pk=begun.pk)
        assert (ended.status, ended.error_code, ended.version_count) == ("failed", error.code, 0)
    assert ADA in repr(texts(tenant, dataset))


def test_a_hold_that_refuses_an_erasure_leaves_the_history_and_says_so(tenant: Tenant, dataset: Dataset) -> None:
    with acting(tenant):
        begun = begin_masking(Dataset.objects.get(pk=dataset.pk), reason="retention", by=SYSTEM_PRINCIPAL_ID)
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
        (erasure,) = Erasure.objects.filter(dataset=dataset)
    run_erasure(tenant.pk, erasure.pk)
    run_masking(tenant.pk, begun.pk)
    with acting(tenant):
        ended = Masking.objects.get(pk=begun.pk)
        assert (ended.status, ended.error_code) == ("failed", "VAULT_DATA_4510")
        assert ended.error["codes"] == ["VAULT_DATA_4006"]
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    assert ADA in repr(texts(tenant, dataset))
    again = mask(tenant, dataset)
    assert (again.status, again.masked_count, again.erased_count) == ("succeeded", 0, 3)
    assert ADA not in repr(texts(tenant, dataset))


def test_an_archived_dataset_and_a_protected_branch_are_masked_too(tenant: Tenant, dataset: Dataset) -> None:
    with acting(tenant):
        Branch.objects.filter(dataset=dataset).update(is_protected=True)
        locked = Dataset.objects.get(pk=dataset.pk)
        Dataset.objects.filter(pk=dataset.pk).update(archived_at=locked.created_at)
    assert mask(tenant, dataset).version_count == 1


def test_a_restored_vault_erases_again_and_spares_what_was_spared(tenant: Tenant, dataset: Dataset) -> None:
    mask(tenant, dataset)
    with acting(tenant):
        (told,) = [(pk, facts) for pk, facts in erasures_asked_for() if facts.dataset_id == dataset.pk]
        Erasure.objects.filter(dataset=dataset).delete()
    erasure_id, facts = told
    assert facts.spared is not None
    assert replay_erasure(tenant.pk, erasure_id, ErasureFacts.from_json(facts.as_json())) == "succeeded"
    with acting(tenant):
        assert Erasure.objects.get(pk=erasure_id).spares
        assert ErasedRecord.objects.filter(erasure=erasure_id).exclude(spared=b"").count() == 3
    assert texts(tenant, dataset)["v1.2.0"]["r1"] == "Ask <EMAIL_ADDRESS>"


def test_an_upload_under_way_keeps_what_it_newly_says_of_a_record(tenant: Tenant, dataset: Dataset) -> None:
    """What is erased is content, not ids: only a plain erasure bars the ids themselves."""
    with acting(tenant):
        since = Dataset.objects.get(pk=dataset.pk).created_at
    mask(tenant, dataset)
    with acting(tenant):
        erased = suppressed(dataset.pk, since)
    assert (erased.ids, len(erased.content_keys), bool(erased)) == (frozenset(), 4, True)


def test_an_upload_from_before_brings_no_original_back_and_loses_nothing_else(tenant: Tenant, dataset: Dataset) -> None:
    said = rows(f"Write to {ADA}", "Ask for the invoice", f"Call {GRACE}", "Nobody at all")
    waiting = queue_upload(tenant, dataset, said, mode="upsert")
    mask(tenant, dataset)
    run_ingest(tenant.pk, waiting.pk)
    shown = texts(tenant, dataset)
    assert not [person for person in PEOPLE if person in repr(shown)]
    assert shown["v1.3.0"]["r1"] == "Ask for the invoice"
    assert shown["v1.3.0"]["r2"] == "Call <EMAIL_ADDRESS>"


def test_tokens_and_staged_changes_of_what_was_there_go_too(tenant: Tenant, dataset: Dataset) -> None:
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "r2", "data": {"text": f"Call {GRACE} back"}}])
    scope, values = TokenScope(dataset.pk, "analytics"), [GRACE, "bo@example.com"]
    with acting(tenant):
        assert StagedRecord.objects.filter(draft=draft).count() == 1
        tokens = tokenize_values(scope, values)
    mask(tenant, dataset)
    with acting(tenant):
        assert detokenize_values(scope, tokens) == [None, "bo@example.com"]
        assert not StagedRecord.objects.filter(draft=draft).exists()


def test_a_damaged_chunk_of_the_new_version_heals(tenant: Tenant, dataset: Dataset) -> None:
    mask(tenant, dataset)
    with acting(tenant):
        head = Branch.objects.select_related("head").get(dataset=dataset, name="main").head
        ((child, _),) = iterate_chunks(PackReader(load_keys(dataset.pk)), bytes(head.root))
        damaged = Chunk.objects.filter(dataset=dataset, digest=child.digest)
        assert damaged.update(damaged_at=dataset.created_at) == 1
    assert scrub(tenant, dataset).healed_count == 1
    assert texts(tenant, dataset)["v1.2.0"]["r1"] == "Ask <EMAIL_ADDRESS>"


def test_labels_are_no_personal_data_and_what_cannot_be_replaced_stays() -> None:
    plain = {"data": {"text": "<PERSON> met Ada"}, "metadata": {}}
    label, half = (Finding("/data/text", "value", start, 8 if start else 7, "PERSON", 1.0, "x") for start in (1, 0))
    name = Finding("/data/text", "value", 13, 16, "PERSON", 1.0, "x")
    assert personal(plain, [label, half, name]) == [name]
    shown, rest = masked(plain, [label, name], lambda _: [label])
    assert (shown["data"]["text"], rest) == ("<PERSON> met <PERSON>", [label])
