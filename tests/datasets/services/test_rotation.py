"""Keys get successors while everything stays readable, and end only when two people want it."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from access.errors import AccessDenied, ActiveKey, KeyInUse, KeyNotFound, SamePerson
from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import confirm_destruction, request_destruction, withdraw_destruction
from access.services.keyring import drop_tenant
from audit.models import AuditEvent
from datasets.errors import DatasetHeld
from datasets.models import Chunk, FindingsBlob, KeyRotation, MergeConflict, Resolution
from datasets.services.merges.conflicts import resolve_conflict
from datasets.services.rotation.request import count_uses, plan_rotations, start_rotation, uses_at_stake
from datasets.services.rotation.work import run_rotation
from datasets.services.upkeep.jobs import run_scrub, start_scrub
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from tests.factories.detectors import detecting
from tests.factories.merges import merged, parted
from vaultsite.kernel.errors import KeyDestroyed, VaultError
from vaultsite.kernel.jobs import MAX_ATTEMPTS


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(400)))
    return dataset


def rotate(tenant, purpose, dataset=None):
    boss = someone(tenant, "tenant_admin")
    with acting(tenant, boss):
        row = start_rotation(boss, purpose=purpose, dataset_id=dataset.pk if dataset else None)
    run_rotation(tenant.pk, row.pk)
    with acting(tenant):
        return KeyRotation.objects.get(pk=row.pk)


def keys_of(tenant, purpose, **facts):
    with acting(tenant):
        return list(EncryptionKey.objects.filter(purpose=purpose, **facts).order_by("version"))


def test_a_rotation_given_up_says_so_once(tenant, dataset):
    boss = someone(tenant, "tenant_admin")
    with acting(tenant, boss):
        row = start_rotation(boss, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)
        KeyRotation.objects.filter(pk=row.pk).update(attempt=MAX_ATTEMPTS)
    for _ in range(2):
        run_rotation(tenant.pk, row.pk)
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.key.rotation")
        assert (event.status, event.failure_reason) == ("failure", "VAULT_SYS_9011")
        assert KeyRotation.objects.get(pk=row.pk).status == "failed"


def event_types(tenant):
    with acting(tenant):
        return list(AuditEvent.objects.values_list("type", flat=True))


def test_a_rotated_data_key_seals_everything_anew_and_changes_no_version(tenant, dataset):
    before = read_all(tenant, dataset)
    with acting(tenant):
        root = bytes(dataset.versions.get().root)
        secrets = {bytes(secret) for secret in Chunk.objects.filter(dataset=dataset).values_list("secret", flat=True)}
    row = rotate(tenant, KeyPurpose.DATASET, dataset)
    old, new = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    assert (row.status, row.new_key) == ("succeeded", new.pk)
    assert (old.state, new.state) == (KeyState.DECRYPT_ONLY, KeyState.ACTIVE)
    with acting(tenant):
        assert set(Chunk.objects.filter(dataset=dataset).values_list("key_id", flat=True)) == {new.pk}
        assert set(FindingsBlob.objects.filter(dataset=dataset).values_list("key_id", flat=True)) == {new.pk}
        now = {bytes(secret) for secret in Chunk.objects.filter(dataset=dataset).values_list("secret", flat=True)}
        assert bytes(dataset.versions.get().root) == root
        assert row.moved_count == Chunk.objects.filter(dataset=dataset).count() + FindingsBlob.objects.count()
    assert not now & secrets
    assert read_all(tenant, dataset) == before
    assert [record.data for record in read_all(tenant, dataset, "data_scientist")]
    assert "data.key.rotation" in event_types(tenant)


def test_a_rotated_kek_wraps_every_key_anew(tenant, dataset):
    before = read_all(tenant, dataset)
    rotate(tenant, KeyPurpose.KEK)
    old, new = keys_of(tenant, KeyPurpose.KEK)
    with acting(tenant):
        others = EncryptionKey.objects.exclude(purpose=KeyPurpose.KEK)
        assert set(others.values_list("wrapped_by_id", flat=True)) == {new.pk}
        EncryptionKey.objects.filter(pk=old.pk).update(state=KeyState.DESTROYED, wrapped=None)
    drop_tenant(tenant.pk)
    assert read_all(tenant, dataset) == before


def test_a_rotated_platform_key_still_opens_what_the_old_one_sealed(tenant, dataset):
    rotate(tenant, KeyPurpose.PLATFORM)
    drop_tenant(tenant.pk)
    assert len(keys_of(tenant, KeyPurpose.PLATFORM)) == 2
    second = upload(tenant, dataset, jsonl(rows_of(400, seed=1)))
    assert second.status == "succeeded"


def test_a_rotation_started_twice_makes_one_key(tenant, dataset):
    boss = someone(tenant, "tenant_admin")
    with acting(tenant, boss):
        first = start_rotation(boss, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)
        second = start_rotation(boss, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)
    assert first.pk == second.pk
    started = threading.Barrier(2)

    def work():
        started.wait()
        run_rotation(tenant.pk, first.pk)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)) == 2


def test_uploads_and_reads_go_on_while_a_key_rotates(tenant, dataset):
    failures = []

    def write():
        try:
            for seed in range(3):
                assert upload(tenant, dataset, jsonl(rows_of(400, seed=seed))).status == "succeeded"
                read_all(tenant, dataset)
        except (AssertionError, VaultError) as error:
            failures.append(error)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        rotate(tenant, KeyPurpose.DATASET, dataset)
    writer.join()
    assert failures == []
    active = [key for key in keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk) if key.state == KeyState.ACTIVE]
    assert len(active) == 1
    drop_tenant(tenant.pk)
    assert len(read_all(tenant, dataset)) == 400
    boss = someone(tenant, "tenant_admin")
    with acting(tenant, boss):
        scrub = start_scrub(boss, dataset_id=dataset.pk)
    run_scrub(tenant.pk, scrub.pk)
    with acting(tenant):
        scrub.refresh_from_db()
    assert (scrub.status, scrub.damaged_count) == ("succeeded", 0)


def test_old_and_much_used_keys_are_rotated_by_themselves(tenant, dataset, settings):
    with acting(tenant):
        past = timezone.now() - timedelta(days=1)
        EncryptionKey.objects.filter(purpose=KeyPurpose.KEK).update(expires_at=past)
    settings.KEY_MAX_OBJECTS = 1
    plan_rotations()
    plan_rotations()
    with acting(tenant):
        planned = set(KeyRotation.objects.values_list("purpose", "reason", "dataset_id"))
    assert planned == {("kek", "age", None), ("dataset", "use", dataset.pk)}


def test_ending_a_key_takes_two_people(tenant, dataset):
    rotate(tenant, KeyPurpose.DATASET, dataset)
    old, new = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "security_officer")
    with acting(tenant, first), pytest.raises(ActiveKey):
        request_destruction(first, key_id=new.pk, reason="too soon")
    with acting(tenant, second), pytest.raises(KeyNotFound):
        confirm_destruction(second, key_id=old.pk, count_uses=count_uses)
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="rotated")
    with acting(tenant, first), pytest.raises(SamePerson):
        confirm_destruction(first, key_id=old.pk, count_uses=count_uses)
    with acting(tenant, second):
        key = confirm_destruction(second, key_id=old.pk, count_uses=lambda _: 0)
    assert key.state == KeyState.DESTROYED
    assert "data.key.destroyed" in event_types(tenant)
    drop_tenant(tenant.pk)
    assert len(read_all(tenant, dataset)) == 400


def test_a_withdrawn_request_ends_nothing(tenant, dataset):
    rotate(tenant, KeyPurpose.DATASET, dataset)
    old, _ = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "security_officer")
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="rotated")
    with acting(tenant, first):
        withdraw_destruction(first, key_id=old.pk)
    with acting(tenant, second), pytest.raises(KeyNotFound):
        confirm_destruction(second, key_id=old.pk, count_uses=count_uses)


def test_a_key_in_use_ends_only_with_its_objects(tenant, dataset):
    with acting(tenant):
        EncryptionKey.objects.filter(purpose=KeyPurpose.DATASET).update(state=KeyState.DECRYPT_ONLY)
    (old,) = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "security_officer")
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="shred")
    with acting(tenant, second), pytest.raises(KeyInUse):
        confirm_destruction(second, key_id=old.pk, count_uses=count_uses)
    with acting(tenant, second):
        confirm_destruction(second, key_id=old.pk, count_uses=count_uses, accepts_loss=True)
    with pytest.raises(KeyDestroyed):
        read_all(tenant, dataset)


def test_who_may_not_manage_keys_rotates_none(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward), pytest.raises(AccessDenied):
        start_rotation(steward, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)


def test_a_platform_key_whose_columns_nobody_counts_ends_only_knowingly(tenant, dataset):
    rotate(tenant, KeyPurpose.PLATFORM)
    old, _ = keys_of(tenant, KeyPurpose.PLATFORM)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "security_officer")
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="rotated")
    with acting(tenant, second), pytest.raises(KeyInUse):
        confirm_destruction(second, key_id=old.pk, count_uses=uses_at_stake)


def test_a_record_that_waits_for_review_is_a_use_of_its_key(tenant, settings):
    made = make_dataset(tenant)
    with detecting(settings, {"fox": "PERSON"}, poison="POISON"):
        upload(tenant, made, jsonl([{"id": "a", "text": "fox"}, {"id": "b", "text": "POISON"}]), on_error="reject")
    rotate(tenant, KeyPurpose.DATASET, made)
    old, _ = keys_of(tenant, KeyPurpose.DATASET, scope_id=made.pk)
    with acting(tenant):
        assert count_uses(old) == 1


def test_a_resolution_made_by_hand_is_a_use_of_its_key(tenant):
    base = [{"id": "a", "text": "a", "n": 0}]
    merge = merged(tenant, parted(tenant, base, [base[0] | {"n": 1}], [base[0] | {"n": 2}]))
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        (row,) = MergeConflict.objects.filter(merge=merge)
        wanted = {"resolution": Resolution.RECORD, "data": {"text": "a", "n": 3}}
        resolve_conflict(steward, merge_id=merge.pk, conflict_id=row.pk, **wanted)
    rotate(tenant, KeyPurpose.DATASET, merge.dataset)
    old, _ = keys_of(tenant, KeyPurpose.DATASET, scope_id=merge.dataset_id)
    with acting(tenant):
        assert count_uses(old) == 1


def test_a_key_of_a_held_dataset_does_not_end_even_where_no_use_is_counted(tenant, dataset):
    rotate(tenant, KeyPurpose.DATASET, dataset)
    old, _ = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    with acting(tenant):
        assert uses_at_stake(old) == 0
        type(dataset).objects.filter(pk=dataset.pk).update(legal_hold=True)
        with pytest.raises(DatasetHeld):
            uses_at_stake(old)


def test_a_key_that_a_legal_hold_needs_does_not_end(tenant, dataset):
    with acting(tenant):
        EncryptionKey.objects.filter(purpose=KeyPurpose.DATASET).update(state=KeyState.DECRYPT_ONLY)
        type(dataset).objects.filter(pk=dataset.pk).update(legal_hold=True)
    (old,) = keys_of(tenant, KeyPurpose.DATASET, scope_id=dataset.pk)
    first, second = someone(tenant, "tenant_admin"), someone(tenant, "security_officer")
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="shred")
    with acting(tenant, second), pytest.raises(DatasetHeld):
        confirm_destruction(second, key_id=old.pk, count_uses=uses_at_stake, accepts_loss=True)
    assert len(read_all(tenant, dataset)) == 400
