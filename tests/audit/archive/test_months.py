"""Rules of the archive: a month leaves the database only once its objects say what its leaves are made of."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import StringIO
from zlib import compress

import pytest
from django.core.management import call_command
from django.db import connections

from access.services.keyring import destroy_keys
from audit.archive import months as writing
from audit.archive.months import Archived
from audit.archive.parts import pack, unpack
from audit.archive.read import archived_before
from audit.log.sealer import seal_tenant
from audit.models import AuditArchivePart, AuditEvent, AuditMonthDrop
from audit.proofs.bundle import public_keys
from audit.proofs.events import find_event, prove_event
from audit.proofs.months import working_alone
from audit.proofs.verify_export import check_proof, read_keys
from audit.selectors import open_actor
from audit.services.partitions import months_from
from compliance.backup.named import named_objects
from tests.audit.archive.moving import archive, at, happened, next_month, parts_of, remove
from tests.audit.proofs.logs import grow, insert_drop, seq_of, tamper
from tests.audit.test_verification import found, verify
from tests.compliance.holds.cases import place, release, whole
from tests.factories.access import acting
from tests.factories.audit import make_event, make_principal, record
from tests.factories.datasets import make_dataset
from vaultsite.backup.database import objects_kept
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import IntegrityFailure, KeyDestroyed, KeyUnavailable
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.regions import DEFAULT_STORE
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope


def online(tenant, *events) -> int:
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        return AuditEvent.objects.filter(pk__in=[event.id for event in events]).count()


def test_an_archived_month_is_verified_proven_and_opened_as_before(tenant, month, tmp_path) -> None:
    events = happened(tenant.pk, month)
    principal = make_principal(tenant.pk)
    with tenant_scope(tenant.pk, principal):
        before = [bytes(AuditEvent.objects.get(pk=event.id).body) for event in events]
    said = archive(month)
    assert (said.events, said.parts, said.kept_because) == (3, 1, "")
    assert online(tenant, *events) == 0
    seal_tenant(tenant.pk)
    run = verify(tenant.pk)
    assert (run.findings, run.walk.archived, run.walk.removed) == ([], 3, 0)
    with tenant_scope(tenant.pk, principal):
        proofs = [prove_event(tenant.pk, event.id) for event in events]
        event = find_event(tenant.pk, events[0].id)
        assert event is not None
        assert (event.time, event.type, open_actor(event).name) == (events[0].time, events[0].type, principal.name)
        assert archived_before(tenant.pk) == months_from(month, ahead=1)[1]
        assert AuditEvent.objects.filter(type=EventType.AUDIT_MONTH_ARCHIVED).count() == 1
    assert [proof.body for proof in proofs] == before
    (tmp_path / "one.tlog-proof").write_text(proofs[0].as_file())
    assert check_proof(tmp_path / "one.tlog-proof", read_keys(public_keys(tenant.pk)))[0].endswith("is in the log")


def test_a_month_goes_in_parts_that_hold_the_bytes_of_its_leaves(tenant, month, monkeypatch) -> None:
    monkeypatch.setattr(writing, "PART_EVENTS", 2)
    happened(tenant.pk, month, events=5)
    assert archive(month).parts == 3
    parts = parts_of(tenant.pk)
    assert [(part.number, part.events) for part in parts] == [(0, 2), (1, 2), (2, 1)]
    assert [part.first_seq for part in parts[1:]] == [part.last_seq + 1 for part in parts[:-1]]
    for part in parts:
        assert BlobStore.default().size(part.name) == part.size
        assert b"event_id" not in BlobStore.default().get(part.name)
    seal_tenant(tenant.pk)
    assert found(tenant.pk) == []


@pytest.mark.parametrize("fate", ["lost", "changed", "another's"])
def test_a_part_that_is_lost_or_damaged_is_found_and_named(tenant, month, monkeypatch, fate) -> None:
    monkeypatch.setattr(writing, "PART_EVENTS", 2)
    happened(tenant.pk, month, events=5)
    archive(month)
    seal_tenant(tenant.pk)
    first, second, _ = parts_of(tenant.pk)
    store = BlobStore.default()
    kept, other = store.get(second.name), store.get(first.name)
    store.delete(second.name)
    if fate != "lost":
        store.put(second.name, other if fate == "another's" else kept[:-1] + bytes([kept[-1] ^ 1]))
    (finding,) = verify(tenant.pk).findings
    kind = "archive_lost" if fate == "lost" else "archive_unreadable"
    assert (finding.seq, finding.kind, finding.last) == (second.first_seq, kind, second.last_seq)
    assert finding.source == f"archive of {month:%Y-%m}, part 1"
    (kept_month,) = remove(month)
    assert kept_month.kept_because.startswith(finding.source)
    store.delete(second.name)
    store.put(second.name, kept)
    assert found(tenant.pk) == []


def test_the_end_of_an_organizations_keys_is_the_end_of_its_archive(tenant, rival, month) -> None:
    """What the store and every backup still hold is unreadable, and the verification does not call it intact."""
    for one in (tenant, rival):
        happened(one.pk, month)
    assert archive(month).events == 6
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert destroy_keys(tenant.pk) > 0
    (part,) = parts_of(tenant.pk)
    assert (part.first_seq, "archive_unreadable") in found(tenant.pk)
    with pytest.raises(KeyDestroyed), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        writing.read_part(part)
    seal_tenant(rival.pk)
    assert found(rival.pk) == []


def test_an_event_that_was_changed_inside_the_archive_is_found(tenant, month) -> None:
    """Who holds the keys too can seal a part again; its leaves say that it is another one."""
    events = happened(tenant.pk, month)
    archive(month)
    seal_tenant(tenant.pk)
    (part,) = parts_of(tenant.pk)
    store = BlobStore.default()
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        stored = writing.read_part(part)
        stored[1] = (stored[1][0], stored[1][1].replace(b"success", b"failure"))
        sealed = writing.seal_part(part.month, part.number, stored)
    store.delete(part.name)
    store.put(part.name, sealed)
    assert found(tenant.pk) == [(part.first_seq + 1, "event_changed")]
    assert "does not hold what its leaves are made of" in remove(month)[0].kept_because
    assert online(tenant, *events) == 0


@pytest.mark.parametrize("lack", ["seal", "witness", "changed"])
def test_a_month_that_is_not_proven_stays_in_the_database(tenant, month, lack) -> None:
    event = make_event(time=at(month, 0))
    record(tenant.pk, event)
    if lack != "seal":
        seal_tenant(tenant.pk, window=None)
    if lack == "changed":
        grow(tenant.pk)
        tamper("UPDATE audit_event SET body = body || ' '::bytea WHERE id = %s", event.id)
    said = archive(month)
    assert (
        said.kept_because
        == {
            "seal": "1 events are not sealed as they are stored",
            "witness": "no witness holds a checkpoint over all of its events",
            "changed": "1 events are not sealed as they are stored",
        }[lack]
    )
    assert (online(tenant, event), parts_of(tenant.pk)) == (1, [])
    if lack == "changed":
        return
    seal_tenant(tenant.pk, window=None)
    grow(tenant.pk)
    assert archive(month).events == 1


def test_an_event_found_under_what_it_does_not_say_keeps_its_month(tenant, month) -> None:
    """Its column is evidence of a deed, which the archive would not hold."""
    event, *_ = happened(tenant.pk, month)
    tamper("UPDATE audit_event SET version = 'v9' WHERE id = %s", event.id)
    assert "is not as it was sealed" in archive(month).kept_because
    tamper("UPDATE audit_event SET version = '' WHERE id = %s", event.id)
    assert archive(month).events == 3


def test_parts_that_do_not_read_back_are_written_again(tenant, month, monkeypatch) -> None:
    events = happened(tenant.pk, month)
    before, put = set(BlobStore.default().names("audit-archive/")), BlobStore.put

    def torn(self: BlobStore, name: str, data: bytes) -> None:
        put(self, name, data[:-1] if name.startswith("audit-archive/") else data)

    with monkeypatch.context() as patch:
        patch.setattr(BlobStore, "put", torn)
        assert archive(month).kept_because == f"archive of {month:%Y-%m}, part 0 cannot be opened"
    assert (online(tenant, *events), parts_of(tenant.pk)) == (3, [])
    assert set(BlobStore.default().names("audit-archive/")) == before
    assert archive(month).events == 3
    seal_tenant(tenant.pk)
    assert found(tenant.pk) == []


def test_two_runs_of_maintenance_do_not_meet(tenant, month) -> None:
    happened(tenant.pk, month)

    def elsewhere() -> Archived:
        try:
            return archive(month)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other, working_alone() as is_alone:
        assert is_alone
        assert other.submit(elsewhere).result().kept_because == "another run of maintenance is at work"
    assert archive(month).events == 3


def test_a_month_stays_online_as_long_as_the_setting_says(tenant, month) -> None:
    events = happened(tenant.pk, month)
    assert writing.archive_months(online=0, today=date(2014, 6, 15)) == []
    assert writing.archive_months(online=240, today=date(2014, 6, 15)) == []
    assert online(tenant, *events) == 3
    archive(month)


def test_an_archived_month_past_its_retention_is_removed_and_told(tenant, month) -> None:
    happened(tenant.pk, month)
    archive(month)
    seal_tenant(tenant.pk)
    (part,) = parts_of(tenant.pk)
    assert remove(month, keep=240) == []
    grow(tenant.pk)
    (gone,) = remove(month)
    assert (gone.events, gone.kept_because) == (3, "")
    assert not BlobStore.default().exists(part.name)
    seal_tenant(tenant.pk)
    run = verify(tenant.pk)
    assert (run.findings, run.walk.removed, run.walk.removed_to, run.walk.archived) == ([], 3, part.last_seq, 0)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        row = AuditMonthDrop.objects.get()
        assert (row.month, row.events, row.last_seq) == (month, 3, part.last_seq)
        assert AuditArchivePart.objects.get().removed_at is not None
    assert remove(month) == []


def test_the_event_of_a_drop_is_believed_from_the_archive_too(tenant, month) -> None:
    """What tells of a removal is months old itself one day."""
    grow(tenant.pk)
    lost = make_event(time=at(month, 0))
    record(tenant.pk, lost)
    seal_tenant(tenant.pk, window=None)
    seq = seq_of(tenant.pk, lost.id)
    facts = {"events": 1, "first_seq": seq, "last_seq": seq}
    later = next_month()
    (told,) = happened(
        tenant.pk, later, 1, type=EventType.AUDIT_MONTH_DROPPED, metadata=facts | {"month": f"{month:%Y-%m}"}
    )
    tamper("DELETE FROM audit_event WHERE id = %s", lost.id)
    insert_drop(tenant.pk, told.id, month=month, **facts)
    assert archive(later).events == 1
    assert online(tenant, told) == 0
    seal_tenant(tenant.pk)
    assert found(tenant.pk) == []
    (part,) = parts_of(tenant.pk)
    BlobStore.default().delete(part.name)
    assert found(tenant.pk) == [(seq, "event_missing"), (part.first_seq, "archive_lost")]


def test_a_hold_keeps_the_months_of_its_organization_alone(tenant, rival, month) -> None:
    for one in (tenant, rival):
        happened(one.pk, month)
    assert archive(month).events == 6
    dataset = make_dataset(tenant)
    place(tenant, whole(dataset))
    for one in (tenant, rival):
        grow(one.pk)
    outcomes = {(one.events, one.kept_because) for one in remove(month)}
    assert outcomes == {(0, "a legal hold keeps events of it"), (3, "")}
    assert parts_of(tenant.pk)[0].removed_at is None
    assert parts_of(rival.pk)[0].removed_at is not None


def test_a_hold_placed_after_a_removal_began_keeps_what_is_left_of_the_month(tenant, month) -> None:
    """The first run told of the drop, and then found a backup copying objects."""
    happened(tenant.pk, month)
    archive(month)
    grow(tenant.pk)
    (part,) = parts_of(tenant.pk)
    with objects_kept():
        (waits,) = remove(month)
    assert waits.kept_because == "a backup copies objects; the next run deletes it"
    with acting(tenant):
        assert AuditMonthDrop.objects.filter(month=month).count() == 1
    hold = place(tenant, whole(make_dataset(tenant)))
    assert remove(month)[0].kept_because == "a legal hold keeps events of it"
    assert BlobStore.default().exists(part.name)
    release(tenant, hold)
    assert remove(month)[0].events == 3
    assert not BlobStore.default().exists(part.name)


def test_the_keys_of_one_organization_stop_no_month_of_the_others(tenant, rival, month, settings, monkeypatch) -> None:
    """Its own month stays for all who have events in it; those that follow go."""
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 0}
    for one in (tenant, rival):
        happened(one.pk, month)
    later = next_month()
    happened(rival.pk, later)
    seal = writing.seal_part

    def sealed(*part) -> bytes:
        if current_tenant_id() == tenant.pk:
            raise KeyUnavailable("its KMS does not answer")
        return seal(*part)

    said, problems = StringIO(), StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(writing, "seal_part", sealed)
        call_command("maintain", stdout=said, stderr=problems)
    assert f"the audit of {month:%Y-%m} stays in the database: its KMS does not answer" in problems.getvalue()
    assert f"archived the audit of {later:%Y-%m}: 3 events" in said.getvalue()
    assert "audit_event_default is empty" in said.getvalue()
    assert [part.month for part in parts_of(rival.pk) if part.moved_at] == [later]
    assert archive(month).events == 6


def test_a_backup_and_a_replica_need_what_left_the_database(tenant, month) -> None:
    happened(tenant.pk, month)
    archive(month)
    (part,) = parts_of(tenant.pk)
    assert part.name in named_objects(DEFAULT_STORE).needed
    grow(tenant.pk)
    remove(month)
    assert part.name not in named_objects(DEFAULT_STORE).living


def test_nothing_of_another_organization_is_read(tenant, rival, month) -> None:
    event, *_ = happened(tenant.pk, month)
    archive(month)
    with acting(rival):
        assert find_event(rival.pk, event.id) is None
        assert AuditArchivePart.objects.count() == 0
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('vault_app', 'audit_archive_part', 'UPDATE')")
        assert cursor.fetchone() == (False,)


def test_maintenance_says_what_it_moved_removed_and_left(tenant, month, settings) -> None:
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 0}
    happened(tenant.pk, month)
    left = next_month()
    record(tenant.pk, make_event(time=at(left, 0)))
    said, problems = StringIO(), StringIO()
    call_command("maintain", stdout=said, stderr=problems)
    assert f"archived the audit of {month:%Y-%m}: 3 events in 1 objects" in said.getvalue()
    assert f"the audit of {left:%Y-%m} stays in the database: 1 events are not sealed" in problems.getvalue()
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 12}
    grow(tenant.pk)
    said = StringIO()
    call_command("maintain", stdout=said, stderr=StringIO())
    assert f"dropped the audit of {month:%Y-%m}: 3 events; their leaves stay" in said.getvalue()
    seal_tenant(tenant.pk, window=None)
    said = StringIO()
    call_command("verify_audit", organization=tenant.slug, stdout=said)
    assert "3 of them were removed under retention, up to number " in said.getvalue()


def test_a_packed_part_is_whole_or_refused() -> None:
    events = [(7, b"{}"), (8, b""), (2**40, b"x" * 70_000)]
    packed = pack(events)
    assert unpack(packed) == events
    for broken in (packed[:-1], b"", compress(b"short"), compress(b"\0" * 11 + b"\7nothin")):
        with pytest.raises(IntegrityFailure):
            unpack(broken)
