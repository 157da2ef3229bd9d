"""Rules of the verification: whatever was done to a log past the vault is found, and where it begins."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import ProgrammingError, connections, transaction

from audit.log.keys import create_keys, load_keys, origin_of, save_keys
from audit.log.note import CheckpointText, sign_note, verifier_of
from audit.log.sealer import seal_tenant
from audit.log.stored import TILE_WIDTH, StoredTree, tiles_after
from audit.log.tree import Frontier, leaf_hash
from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditTile
from audit.proofs import verification as pages
from audit.proofs.derived import changed_upper_tiles
from audit.proofs.events import find_event, prove_event
from audit.proofs.heads import Trust
from audit.proofs.verification import LogVerification
from audit.proofs.witnessed import ask_witnesses
from tests.audit.proofs.logs import copy_event, event_at, grow, insert_drop, seq_of, sizes, tamper
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import tenant_scope


@pytest.fixture(autouse=True)
def _witness_folder(settings, tmp_path) -> None:
    settings.VAULT = settings.VAULT | {"AUDIT_WITNESS_FOLDER": tmp_path / "witness"}
    (tmp_path / "witness").mkdir()


def verify(tenant_id) -> LogVerification:
    answers = ask_witnesses(tenant_id)
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        verification = LogVerification.begin(tenant_id, Trust.of(tenant_id), answers)
        while not verification.is_walked:
            verification.step()
        verification.conclude()
    return verification


def found(tenant_id) -> list[tuple[int, str]]:
    return [(one.seq, one.kind.value) for one in verify(tenant_id).findings]


def test_an_untouched_log_verifies(tenant) -> None:
    size = grow(tenant.pk)
    size = grow(tenant.pk)
    verification = verify(tenant.pk)
    assert verification.findings == []
    assert (verification.walk.next_seq, verification.walk.compared) == (size, 2)
    assert {(one.name, one.size, one.state) for one in verification.witnesses} == {
        ("blob store", size, "agrees"),
        ("folder", size, "agrees"),
    }


def test_a_log_verifies_over_a_change_of_keys(tenant, settings, tmp_path) -> None:
    settings.VAULT = settings.VAULT | {"AUDIT_KEY_FILE": tmp_path / "keys.pem"}
    create_keys()
    grow(tenant.pk)
    save_keys(load_keys().with_new_key())
    grow(tenant.pk)
    save_keys(load_keys().with_newest_only())
    grow(tenant.pk)
    assert found(tenant.pk) == []
    save_keys(replace(load_keys(), retired=()))
    assert found(tenant.pk)[0] == (sizes(tenant.pk)[0] - 1, "bad_checkpoint"), "a key that nobody vouches for"


def test_a_log_without_events_verifies(tenant) -> None:
    verification = verify(tenant.pk)
    assert verification.findings == []
    assert {one.state for one in verification.witnesses} == {"none"}


def test_a_copy_that_waits_beside_its_event_does_not_stop_the_sealer(tenant) -> None:
    grow(tenant.pk)
    event = make_event()
    record(tenant.pk, event, make_event())
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        copy_event(connections["default"].cursor(), event.id, event.time + timedelta(milliseconds=1))
    assert seal_tenant(tenant.pk) == 2
    size = grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        leaf = AuditLeaf.objects.get(event_id=event.id)
    assert leaf.event_time == event.time
    assert found(tenant.pk) == [(leaf.seq, "event_copied")]
    assert verify(tenant.pk).walk.next_seq == size


def test_changed_bytes_are_found(tenant) -> None:
    grow(tenant.pk)
    grow(tenant.pk)
    changed = "UPDATE audit_event SET body = replace(convert_from(body, 'UTF8'), 'read', 'rear')::bytea WHERE id = %s"
    assert tamper(changed, event_at(tenant.pk, 9)) == 1
    assert found(tenant.pk) == [(9, "event_changed")]


@pytest.mark.parametrize(
    "change",
    [
        "purpose = 'other'",
        "actor_id = '00000000-0000-0000-0000-000000000001'",
        "status = 'failure'",
        "dataset_id = '00000000-0000-0000-0000-000000000001'",
        "bytes = 1",
    ],
)
def test_a_column_that_hides_an_event_from_searches_is_found(tenant, change) -> None:
    grow(tenant.pk)
    assert tamper(f"UPDATE audit_event SET {change} WHERE id = %s", event_at(tenant.pk, 4)) == 1
    assert found(tenant.pk) == [(4, "columns_changed")]


def test_a_deleted_event_is_found(tenant) -> None:
    grow(tenant.pk)
    assert tamper("DELETE FROM audit_event WHERE id = %s", event_at(tenant.pk, 3)) == 1
    assert found(tenant.pk) == [(3, "event_missing")]


def test_an_event_that_was_moved_in_time_is_found(tenant) -> None:
    grow(tenant.pk)
    tamper("UPDATE audit_event SET time = time - interval '1 hour' WHERE id = %s", event_at(tenant.pk, 3))
    assert found(tenant.pk) == [(3, "event_copied"), (3, "event_missing")]


def test_a_copy_at_another_time_is_named_and_never_proven(tenant) -> None:
    """The application's own role may insert rows; the key of an event is its tenant, id and time."""
    grow(tenant.pk)
    event_id = event_at(tenant.pk, 3)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        sealed = AuditEvent.objects.get(pk=event_id)
        copy_event(connections["default"].cursor(), event_id, sealed.time + timedelta(seconds=5))
        assert AuditEvent.objects.filter(pk=event_id).count() == 2
        shown = find_event(tenant.pk, event_id)
        assert shown is not None
        assert shown.time == sealed.time
        assert prove_event(tenant.pk, event_id).seq == 3
    assert seal_tenant(tenant.pk, window=None) == 0
    assert found(tenant.pk) == [(3, "event_copied")]
    tamper("DELETE FROM audit_event WHERE id = %s AND time = %s", event_id, sealed.time)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert find_event(tenant.pk, event_id) is None
    assert found(tenant.pk) == [(3, "event_copied"), (3, "event_missing")]


def test_a_forged_leaf_is_found(tenant) -> None:
    grow(tenant.pk)
    tamper("UPDATE audit_leaf SET leaf = %s WHERE tenant_id = %s AND seq = 2", b"x" * 32, tenant.pk)
    assert found(tenant.pk)[0] == (0, "rewritten")
    assert (2, "event_changed") in found(tenant.pk)


def test_a_deleted_leaf_is_a_gap(tenant) -> None:
    grow(tenant.pk)
    tamper("DELETE FROM audit_leaf WHERE tenant_id = %s AND seq = 2", tenant.pk)
    assert (2, "gap") in found(tenant.pk)


def test_an_event_with_two_places_is_found(tenant) -> None:
    size = grow(tenant.pk)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_leaf DROP CONSTRAINT audit_leaf_event")
        cursor.execute(
            "INSERT INTO audit_leaf SELECT tenant_id, %s, event_id, event_time, leaf FROM audit_leaf"
            " WHERE tenant_id = %s AND seq = 1",
            [size, tenant.pk],
        )
    try:
        assert found(tenant.pk) == [(size, "duplicate")]
    finally:
        tamper("DELETE FROM audit_leaf WHERE tenant_id = %s AND seq = %s", tenant.pk, size)
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE audit_leaf ADD CONSTRAINT audit_leaf_event UNIQUE (tenant_id, event_id)")


def forge(tenant_id, seq: int) -> None:
    """Another event in the place of one, with its leaf and columns, as somebody who knows the format would do it."""
    event_id = event_at(tenant_id, seq)
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        body = bytes(AuditEvent.objects.get(pk=event_id).body).replace(b'"analytics"', b'"marketing"')
    tamper("UPDATE audit_event SET body = %s, purpose = 'marketing' WHERE id = %s", body, event_id)
    tamper("UPDATE audit_leaf SET leaf = %s WHERE event_id = %s", leaf_hash(body), event_id)


def roots_of(tenant_id) -> list[bytes]:
    frontier, roots = Frontier(), []
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        leaves = [bytes(one) for one in AuditLeaf.objects.order_by("seq").values_list("leaf", flat=True)]
    for leaf in leaves:
        frontier.append(leaf)
        roots.append(frontier.root())
    return roots


def test_an_event_forged_with_its_leaf_lies_between_two_signed_roots(tenant) -> None:
    first = grow(tenant.pk)
    grow(tenant.pk)
    forge(tenant.pk, first + 2)
    (finding,) = [one for one in verify(tenant.pk).findings if one.kind == "rewritten"]
    assert (finding.seq, finding.last) == (first, sizes(tenant.pk)[1] - 1)
    assert {kind for _, kind in found(tenant.pk)} == {"rewritten", "witness_differs"}


def test_a_forgery_with_forged_checkpoint_rows_fails_at_the_signature(tenant) -> None:
    grow(tenant.pk)
    size = grow(tenant.pk)
    forge(tenant.pk, size - 2)
    root = roots_of(tenant.pk)[size - 1]
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        note = AuditCheckpoint.objects.get(size=size).note
    lines = note.split("\n")
    lines[2] = b64encode(root).decode()
    tamper(
        "UPDATE audit_checkpoint SET root = %s, note = %s WHERE tenant_id = %s AND size = %s",
        root, "\n".join(lines), tenant.pk, size,
    )  # fmt: skip
    assert (size - 1, "bad_checkpoint") in found(tenant.pk)


def test_who_holds_the_signing_key_is_found_by_the_witness(tenant) -> None:
    first = grow(tenant.pk)
    size = grow(tenant.pk)
    forge(tenant.pk, first + 1)
    root = roots_of(tenant.pk)[size - 1]
    origin = origin_of(tenant.pk)
    note = sign_note(str(CheckpointText(origin, size, root)), origin, load_keys().signing)
    tamper(
        "UPDATE audit_checkpoint SET root = %s, note = %s WHERE tenant_id = %s AND size = %s",
        root, note, tenant.pk, size,
    )  # fmt: skip
    findings = verify(tenant.pk).findings
    assert {(one.seq, one.kind.value, one.last) for one in findings} == {(first, "witness_differs", size - 1)}
    assert {one.source for one in findings} <= {"witness folder", "witness blob store"}


def test_a_swapped_signature_is_found(tenant) -> None:
    first = grow(tenant.pk)
    size = grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        notes = dict(AuditCheckpoint.objects.values_list("size", "note"))
    swapped = notes[size].rpartition("\n\n")[0] + "\n\n" + notes[first].rpartition("\n\n")[2]
    tamper("UPDATE audit_checkpoint SET note = %s WHERE tenant_id = %s AND size = %s", swapped, tenant.pk, size)
    assert found(tenant.pk) == [(size - 1, "bad_checkpoint")]


def test_a_key_put_beside_a_checkpoint_that_it_did_not_sign_is_found(tenant) -> None:
    """Whoever replaces a lost key may look there for the old one."""
    size = grow(tenant.pk)
    stranger = verifier_of(origin_of(tenant.pk), Ed25519PrivateKey.generate())
    tamper("UPDATE audit_checkpoint SET verifiers = %s WHERE tenant_id = %s", str(stranger), tenant.pk)
    assert found(tenant.pk) == [(size - 1, "bad_checkpoint")]


#: Bytes of a tile with another hash of leaf 300 in it, and the root over them.
FORGED = """
    UPDATE audit_tile SET hashes = overlay(hashes PLACING sha256('') FROM (300 - 256) * 32 + 1 FOR 32)
     WHERE tenant_id = %s AND level = 0 AND index = 1
"""


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (FORGED, (300, 511, "tile 0/1")),
        ("DELETE FROM audit_tile WHERE tenant_id = %s AND level = 0 AND index = 1", (256, 511, "tile 0/1")),
        (
            "UPDATE audit_tile SET root = sha256('') WHERE tenant_id = %s AND level = 0 AND index = 1",
            (256, 511, "tile 0/1"),
        ),
    ],
    ids=["hashes", "removed", "root"],
)
def test_a_changed_tile_is_found(tenant, change, finding) -> None:
    grow(tenant.pk, 600)
    assert found(tenant.pk) == []
    assert tamper(change, tenant.pk) == 1
    assert [(one.seq, one.last, one.source) for one in verify(tenant.pk).findings] == [finding]
    assert found(tenant.pk) == [(finding[0], "tile_changed")]


def test_tiles_above_the_first_level_are_those_below() -> None:
    """Tiles of level 1 take 65,536 events: they are made here without any."""
    tenant_id = uuid4()
    leaves = [leaf_hash(b"%d" % number) for number in range(TILE_WIDTH**2)]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    tiles = tiles_after(StoredTree(tenant_id, using="system"), 0, leaves)
    AuditTile.objects.using("system").bulk_create(tiles)
    assert [tile.level for tile in tiles][-2:] == [0, 1]

    def changed() -> list[tuple[int, int | None, str]]:
        with tenant_scope(tenant_id, make_principal(tenant_id)):
            return [(one.seq, one.last, one.source) for one in changed_upper_tiles(tenant_id, frontier)]

    assert changed() == []
    tamper("UPDATE audit_tile SET root = sha256('') WHERE tenant_id = %s AND level = 1", tenant_id)
    assert changed() == [(0, 65535, "tile 1/0")]
    tamper("UPDATE audit_tile SET root = %s WHERE tenant_id = %s AND level = 1", frontier.root(), tenant_id)
    tamper("UPDATE audit_tile SET root = sha256('') WHERE tenant_id = %s AND level = 0 AND index = 9", tenant_id)
    assert changed() == [(0, 65535, "tile 1/0")]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_rollup_hour SET events = events - 1 WHERE tenant_id = %s",
        "UPDATE audit_rollup_hour SET events = events + 1 WHERE tenant_id = %s AND facet = 0",
        "DELETE FROM audit_rollup_hour WHERE tenant_id = %s",
        "UPDATE audit_rollup_access_hour SET events = events + 1 WHERE tenant_id = %s",
        "UPDATE audit_rollup_actor_day SET events = events + 1 WHERE tenant_id = %s",
        "UPDATE audit_rollup_hour SET hour = hour - interval '1 year' WHERE tenant_id = %s",
    ],
)
def test_changed_counts_are_found(tenant, change) -> None:
    grow(tenant.pk)
    assert found(tenant.pk) == []
    assert tamper(change, tenant.pk) > 0
    assert {kind for _, kind in found(tenant.pk)} == {"counts_changed"}
    assert found(tenant.pk)[0][0] == 0


def drop_newest(tenant_id, size: int, *, checkpoints: bool = True) -> None:
    """Everything the database has of what followed the first ``size`` events, as a backup of that day would."""
    tamper(
        "DELETE FROM audit_event WHERE tenant_id = %s AND id IN"
        " (SELECT event_id FROM audit_leaf WHERE tenant_id = %s AND seq >= %s)",
        tenant_id, tenant_id, size,
    )  # fmt: skip
    tamper("DELETE FROM audit_leaf WHERE tenant_id = %s AND seq >= %s", tenant_id, size)
    if checkpoints:
        tamper(
            "DELETE FROM audit_witness_receipt WHERE tenant_id = %s AND checkpoint_id IN"
            " (SELECT id FROM audit_checkpoint WHERE tenant_id = %s AND size > %s)",
            tenant_id, tenant_id, size,
        )  # fmt: skip
        tamper("DELETE FROM audit_checkpoint WHERE tenant_id = %s AND size > %s", tenant_id, size)


def test_dropped_newest_events_are_found_by_the_vaults_own_checkpoint(tenant) -> None:
    first = grow(tenant.pk)
    size = grow(tenant.pk, witness=False)
    drop_newest(tenant.pk, first, checkpoints=False)
    (finding,) = verify(tenant.pk).findings
    assert (finding.seq, finding.kind, finding.last) == (first, "truncated", size - 1)


def test_a_database_rolled_back_is_found_by_the_witness(tenant) -> None:
    first = grow(tenant.pk)
    size = grow(tenant.pk)
    drop_newest(tenant.pk, first)
    verification = verify(tenant.pk)
    assert {(one.seq, one.kind.value, one.last) for one in verification.findings} == {
        (first, "witness_ahead", size - 1)
    }
    assert {one.state for one in verification.witnesses} == {"witness_ahead"}


def test_a_log_that_was_forked_after_a_roll_back_is_found_where_it_parted(tenant) -> None:
    first = grow(tenant.pk)
    size = grow(tenant.pk)
    drop_newest(tenant.pk, first)
    again = grow(tenant.pk, size - first, sign=False, witness=False)
    assert again == size
    origin = origin_of(tenant.pk)
    head = CheckpointText(origin, size, roots_of(tenant.pk)[-1])
    note = sign_note(str(head), origin, load_keys().signing)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_checkpoint (id, tenant_id, size, root, note, verifiers)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s)",
            [tenant.pk, size, head.root, note, str(load_keys().verifiers(origin)[0])],
        )
    assert {(one.seq, one.kind.value) for one in verify(tenant.pk).findings} == {(first, "witness_differs")}


def witness_files(settings, tenant_id) -> list:
    return sorted(file for file in settings.VAULT["AUDIT_WITNESS_FOLDER"].rglob("*") if file.is_file())


def test_a_changed_file_of_a_witness_is_found(tenant, settings) -> None:
    grow(tenant.pk)
    size = grow(tenant.pk)
    newest = witness_files(settings, tenant.pk)[-1]
    newest.chmod(0o600)
    newest.write_bytes(newest.read_bytes().replace(f"\n{size}\n".encode(), f"\n{size + 1}\n".encode()))
    verification = verify(tenant.pk)
    assert [(one.seq, one.kind.value, one.source) for one in verification.findings] == [
        (size - 1, "bad_witness", "witness folder")
    ]


def test_a_witness_that_lost_what_it_confirmed_is_found(tenant, settings) -> None:
    size = grow(tenant.pk)
    for file in witness_files(settings, tenant.pk):
        file.unlink()
    assert found(tenant.pk) == [(size - 1, "bad_witness")]


def test_an_event_that_waits_too_long_for_its_place_is_found(tenant) -> None:
    size = grow(tenant.pk)
    record(tenant.pk, make_event(time=datetime.now(UTC) - timedelta(hours=1)))
    assert found(tenant.pk) == [(size, "unsealed")]
    seal_tenant(tenant.pk, window=None)
    assert found(tenant.pk) == []


@pytest.mark.parametrize(
    "lie", ["no event", "another event", "month", "events", "first_seq", "last_seq", "changed bytes", "nothing"]
)
def test_a_leaf_without_an_event_is_allowed_only_by_a_drop_that_the_log_tells_of(tenant, settings, lie) -> None:
    """The row alone does not help who wrote it, nor an event that tells of something else."""
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 12}
    grow(tenant.pk)
    lost = make_event(time=datetime(2014, 5, 3, tzinfo=UTC))
    record(tenant.pk, lost)
    seal_tenant(tenant.pk, window=None)
    seq = seq_of(tenant.pk, lost.id)
    tamper("DELETE FROM audit_event WHERE id = %s", lost.id)
    facts = {"month": "2014-05", "events": 1, "first_seq": seq, "last_seq": seq}
    said = facts | {lie: "2014-06" if lie == "month" else 99} if lie in facts else facts
    told = make_event(type=EventType.AUDIT_MONTH_DROPPED, metadata=said)
    if lie == "another event":
        told = make_event(metadata=facts)
    if lie != "no event":
        record(tenant.pk, told)
    grow(tenant.pk)
    insert_drop(tenant.pk, told.id, **facts | {"month": date(2014, 5, 1)})
    if lie == "changed bytes":
        tamper(
            "UPDATE audit_event SET body = replace(convert_from(body, 'UTF8'), 'read', 'rear')::bytea WHERE id = %s",
            told.id,
        )
    assert ((seq, "event_missing") in found(tenant.pk)) == (lie != "nothing")
    assert lie != "nothing" or found(tenant.pk) == []


@pytest.mark.parametrize("table", ["audit_leaf", "audit_checkpoint", "audit_tile", "audit_month_drop"])
@pytest.mark.parametrize("change", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_serving_role_can_change_the_log(tenant, table, change) -> None:
    grow(tenant.pk)
    statement = change.format(table)
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        connections["default"].cursor().execute(statement)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using="system"):
        connections["system"].cursor().execute(statement)


def test_a_walk_that_is_interrupted_goes_on_where_it_was(tenant, monkeypatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 4)
    grow(tenant.pk)
    grow(tenant.pk)
    tamper("DELETE FROM audit_event WHERE id = %s", event_at(tenant.pk, 2))
    trust, answers = Trust.of(tenant.pk), ask_witnesses(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        whole = LogVerification.begin(tenant.pk, trust, answers)
        state, findings = whole.as_json(), []
        while True:
            part = LogVerification.resume(tenant.pk, trust, state, findings)
            if part.is_walked:
                break
            part.step()
            state, findings = part.as_json(), [one.as_json() for one in part.findings]
        part.conclude()
    assert [(one.seq, one.kind.value) for one in part.findings] == [(2, "event_missing")]
    assert part.walk.frontier.root() == roots_of(tenant.pk)[-1]
    assert part.walk.compared == 2
