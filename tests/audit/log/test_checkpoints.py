"""Rules of checkpoints: what is signed is the log, and nothing is ever signed that contradicts it."""

from pathlib import Path

import pytest

from audit.log.checkpoints import checkpoint_covering, due_tenants, latest_checkpoint, sign_checkpoint
from audit.log.errors import InconsistentLog, SigningKeyUnavailable, WitnessConflict, WitnessUnavailable
from audit.log.keys import KeyRing, load_keys, origin_of, save_keys
from audit.log.note import CheckpointText, Verifier, open_checkpoint, sign_note
from audit.log.sealer import seal_tenant
from audit.log.stored import StoredTree
from audit.log.witnesses.stored import BlobStoreWitness, FolderWitness
from audit.log.witnessing import unwitnessed_tenants, witness_checkpoints
from audit.models import WitnessReceipt
from tests.audit.log.logs import as_owner, checkpoints_of, happen, leaves_of, tamper
from tests.factories.audit import make_principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def grow(tenant_id, count: int = 3):
    """``count`` more events, sealed and signed."""
    happen(tenant_id, count)
    seal_tenant(tenant_id)
    return sign_checkpoint(tenant_id)


def receipts_of(tenant_id) -> list[tuple[str, int]]:
    receipts = WitnessReceipt.objects.using("system").filter(tenant_id=tenant_id).select_related("checkpoint")
    return sorted((receipt.witness, receipt.checkpoint.size) for receipt in receipts)


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    """A second witness."""
    path = tmp_path / "witness"
    settings.VAULT = {**settings.VAULT, "AUDIT_WITNESS_FOLDER": path}
    return path


def test_a_checkpoint_states_the_log_and_opens_with_the_published_key(tenant) -> None:
    checkpoint = grow(tenant.pk)
    size = len(leaves_of(tenant.pk))
    stored = StoredTree(tenant.pk, using="system")
    text = CheckpointText(origin_of(tenant.pk), size, stored.root(size))
    assert (checkpoint.size, bytes(checkpoint.root)) == (size, text.root)
    verifiers = [Verifier.parse(line) for line in checkpoint.verifiers.splitlines()]
    assert open_checkpoint(checkpoint.note, text.origin, verifiers) == text
    assert verifiers == load_keys().verifiers(text.origin)[: len(load_keys().signing)]


def test_a_log_that_did_not_grow_is_not_signed_again(tenant) -> None:
    assert sign_checkpoint(tenant.pk) is None  # nothing is sealed yet
    assert grow(tenant.pk) is not None
    assert sign_checkpoint(tenant.pk) is None
    assert len(checkpoints_of(tenant.pk)) == 1


def test_the_first_checkpoint_that_covers_an_event_is_found(tenant, rival) -> None:
    first, second = grow(tenant.pk), grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert latest_checkpoint(tenant.pk) == second
        assert checkpoint_covering(tenant.pk, 0) == checkpoint_covering(tenant.pk, first.size - 1) == first
        assert checkpoint_covering(tenant.pk, first.size) == second
        assert checkpoint_covering(tenant.pk, second.size) is None
    with tenant_scope(rival.pk, make_principal(rival.pk)):
        assert latest_checkpoint(tenant.pk) is None


def test_a_tenant_is_due_at_its_first_event_and_then_after_a_pause(tenant, settings) -> None:
    assert tenant.pk not in due_tenants()
    seal_tenant(tenant.pk)
    assert tenant.pk in due_tenants()
    sign_checkpoint(tenant.pk)
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    assert tenant.pk not in due_tenants()
    settings.VAULT = {**settings.VAULT, "AUDIT_CHECKPOINT_SECONDS": 0}
    assert tenant.pk in due_tenants()
    sign_checkpoint(tenant.pk)
    assert tenant.pk not in due_tenants()


def test_every_witness_is_given_every_checkpoint_in_order_and_once(tenant, folder) -> None:
    checkpoints = [grow(tenant.pk), grow(tenant.pk)]
    sizes = [checkpoint.size for checkpoint in checkpoints]
    assert tenant.pk in unwitnessed_tenants()
    assert witness_checkpoints(tenant.pk) == 4
    assert receipts_of(tenant.pk) == [(name, size) for name in ("blob store", "folder") for size in sizes]
    assert tenant.pk not in unwitnessed_tenants()
    assert witness_checkpoints(tenant.pk) == 0
    for witness in (BlobStoreWitness(0), FolderWitness(folder)):
        assert witness.newest(origin_of(tenant.pk)) == checkpoints[-1].note
        assert witness.read(origin_of(tenant.pk), sizes[0]) == checkpoints[0].note


def test_a_witness_that_does_not_answer_is_asked_again(tenant, folder) -> None:
    first = grow(tenant.pk)
    folder.write_text("in the way")
    assert witness_checkpoints(tenant.pk) == 1  # the blob store's
    assert tenant.pk in unwitnessed_tenants()
    folder.unlink()
    assert witness_checkpoints(tenant.pk) == 1
    assert receipts_of(tenant.pk) == [("blob store", first.size), ("folder", first.size)]


def test_nothing_is_signed_while_a_witness_cannot_be_asked(tenant, folder) -> None:
    grow(tenant.pk)
    folder.write_text("in the way")
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    with pytest.raises(WitnessUnavailable):
        sign_checkpoint(tenant.pk)
    folder.unlink()
    assert sign_checkpoint(tenant.pk) is not None


def test_a_crash_between_witness_and_receipt_is_made_good(tenant) -> None:
    checkpoint = grow(tenant.pk)
    BlobStoreWitness(0).hold(origin_of(tenant.pk), checkpoint.size, checkpoint.note)
    assert witness_checkpoints(tenant.pk) == 1
    assert receipts_of(tenant.pk) == [("blob store", checkpoint.size)]


def test_a_crash_between_leaves_and_checkpoint_is_made_good(tenant) -> None:
    first = grow(tenant.pk)
    happen(tenant.pk, 2)
    seal_tenant(tenant.pk)  # and then the worker dies
    happen(tenant.pk, 2)
    assert grow(tenant.pk).size == first.size + 7


def forge_leaf(tenant_id, seq: int) -> None:
    tamper(
        "audit_leaf", f"UPDATE audit_leaf SET leaf = sha256('forged') WHERE tenant_id = '{tenant_id}' AND seq = {seq}"
    )


def test_a_log_whose_past_was_changed_is_not_signed(tenant) -> None:
    size = grow(tenant.pk).size
    forge_leaf(tenant.pk, 1)
    with pytest.raises(InconsistentLog, match=f"The first {size} events are not those that the database"):
        grow(tenant.pk)


def test_a_past_that_was_changed_with_its_checkpoints_is_not_signed_against_the_witness(tenant) -> None:
    """Whoever holds database and key together is still met by what the witness holds."""
    checkpoint = grow(tenant.pk)
    witness_checkpoints(tenant.pk)
    forge_leaf(tenant.pk, 1)
    root = StoredTree(tenant.pk, using="system").root(checkpoint.size)
    text = CheckpointText(origin_of(tenant.pk), checkpoint.size, root)
    note = sign_note(str(text), text.origin, load_keys().signing)
    tamper(
        "audit_checkpoint",
        f"UPDATE audit_checkpoint SET root = '\\x{root.hex()}', note = '{note}' WHERE id = '{checkpoint.pk}'",
    )
    with pytest.raises(InconsistentLog, match="that blob store has a checkpoint of"):
        grow(tenant.pk)


def test_a_database_of_yesterday_is_not_signed_against_the_witness(tenant) -> None:
    kept = grow(tenant.pk)
    lost = grow(tenant.pk)
    witness_checkpoints(tenant.pk)
    roll_back(tenant.pk, kept, lost)
    with pytest.raises(InconsistentLog, match=f"blob store has a checkpoint of {lost.size} events, the log has"):
        grow(tenant.pk, 1)
    happen(tenant.pk, 5)  # nor when it has grown beyond it
    with pytest.raises(InconsistentLog, match=f"The first {lost.size} events are not those that blob store"):
        grow(tenant.pk)


def roll_back(tenant_id, kept, lost) -> None:
    """What a copy of the database of before ``lost`` would hold."""
    where = f"WHERE tenant_id = '{tenant_id}'"
    tamper("audit_witness_receipt", f"DELETE FROM audit_witness_receipt {where} AND checkpoint_id = '{lost.pk}'")
    tamper("audit_checkpoint", f"DELETE FROM audit_checkpoint {where} AND size > {kept.size}")
    ids = ", ".join(f"'{leaf.event_id}'" for leaf in leaves_of(tenant_id)[kept.size :])
    tamper("audit_leaf", f"DELETE FROM audit_leaf {where} AND seq >= {kept.size}")
    as_owner("ALTER TABLE audit_event DISABLE TRIGGER append_only")
    as_owner(f"DELETE FROM audit_event {where} AND id IN ({ids})")
    as_owner("ALTER TABLE audit_event ENABLE TRIGGER append_only")


def test_leaves_that_were_taken_away_are_missed(tenant) -> None:
    checkpoint = grow(tenant.pk)
    tamper("audit_leaf", f"DELETE FROM audit_leaf WHERE tenant_id = '{tenant.pk}' AND seq = {checkpoint.size - 1}")
    with pytest.raises(InconsistentLog, match="events were taken away"):
        sign_checkpoint(tenant.pk)
    assert tenant.pk in due_tenants() or checkpoints_of(tenant.pk)[-1].size > len(leaves_of(tenant.pk))


def test_a_stored_checkpoint_that_was_changed_is_not_built_on(tenant) -> None:
    checkpoint = grow(tenant.pk)
    tamper("audit_checkpoint", f"UPDATE audit_checkpoint SET size = size - 1 WHERE id = '{checkpoint.pk}'")
    with pytest.raises(InconsistentLog, match="was changed"):
        sign_checkpoint(tenant.pk)


def test_a_witness_that_was_given_another_checkpoint_is_told(tenant) -> None:
    checkpoint = grow(tenant.pk)
    BlobStoreWitness(0).hold(origin_of(tenant.pk), checkpoint.size, f"{checkpoint.note}\n")
    with pytest.raises(WitnessConflict):
        witness_checkpoints(tenant.pk)


def test_a_vault_that_lost_its_key_makes_no_other_one(tenant, tmp_path, settings) -> None:
    grow(tenant.pk)
    settings.VAULT = {**settings.VAULT, "AUDIT_KEY_FILE": tmp_path / "audit-keys.pem"}
    with pytest.raises(SigningKeyUnavailable, match="No such file"):
        grow(tenant.pk)
    assert not (tmp_path / "audit-keys.pem").exists()


def test_a_key_that_never_signed_before_is_refused(tenant, tmp_path, settings) -> None:
    grow(tenant.pk)
    ring = load_keys()
    settings.VAULT = {**settings.VAULT, "AUDIT_KEY_FILE": tmp_path / "audit-keys.pem"}
    save_keys(KeyRing(ring.with_new_key().signing[-1:]))
    with pytest.raises(SigningKeyUnavailable, match="did not sign the last checkpoint"):
        grow(tenant.pk)
