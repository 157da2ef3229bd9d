"""Rules of the log's upkeep: one tenant's trouble stops no other, and everybody concerned is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.log.checkpoints import sign_checkpoint
from audit.log.errors import WitnessUnavailable
from audit.log.keys import KeyRing, load_keys, origin_of, save_keys
from audit.log.note import Verifier, open_note, verifier_of
from audit.log.sealer import seal_tenant, straggling_tenants, waiting_tenants
from audit.log.status import SealingStatus, WitnessState, sealing_status
from audit.log.upkeep import uncovered_tenants
from audit.log.witnesses.stored import StorageWitness
from audit.log.witnessing import witness_checkpoints
from audit.models import Alert, OutboxEntry
from audit.relay.loop import SealRound
from audit.tasks import seal_events, seal_forgotten_events, seal_late_events, sign_checkpoints, watch_sealing
from tests.audit.log.logs import as_owner, checkpoints_of, events_of, happen, leaves_of, require_sealed, tamper
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.tenancy.scope import tenant_scope


def alerts_of(tenant_id) -> list[tuple[str, str, str]]:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return list(Alert.objects.order_by("kind", "cause").values_list("kind", "cause", "severity"))


def open_alerts_of(tenant_id) -> list[tuple[str, str]]:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        unresolved = Alert.objects.exclude(state="resolved")
        return list(unresolved.order_by("kind", "cause").values_list("kind", "cause"))


def status_of(tenant_id) -> SealingStatus:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return sealing_status()


def test_the_tasks_seal_sign_and_witness_every_tenant(tenant, rival) -> None:
    assert seal_events() > 0
    assert sign_checkpoints() >= 2
    for tenant_id in (tenant.pk, rival.pk):
        require_sealed(tenant_id)
        assert [checkpoint.size for checkpoint in checkpoints_of(tenant_id)] == [len(leaves_of(tenant_id))]
        assert status_of(tenant_id).witnesses == (WitnessState("blob store", ANY, ANY, is_locked=False),)
        assert status_of(tenant_id).witnesses[0].size == len(leaves_of(tenant_id))


def test_stragglers_are_found_by_the_tasks_of_minutes_and_days(tenant) -> None:
    seal_events()
    for age, find in ((timedelta(minutes=30), seal_late_events), (timedelta(days=20), seal_forgotten_events)):
        record(tenant.pk, make_event(time=timezone.now() - age))
        seal_events()
        assert len(leaves_of(tenant.pk)) == len(events_of(tenant.pk)) - 1
        assert find() >= 1
        require_sealed(tenant.pk)
        happen(tenant.pk, 1)
        seal_events()


def test_a_broken_log_is_an_alert_of_its_tenant_and_stops_nobody_else(tenant, rival, settings) -> None:
    settings.VAULT = {**settings.VAULT, "AUDIT_CHECKPOINT_SECONDS": 0}
    happen(tenant.pk, 2)
    seal_events()
    sign_checkpoints()
    where = f"WHERE tenant_id = '{tenant.pk}' AND seq = 0"
    tamper("audit_leaf", f"UPDATE audit_leaf SET leaf = sha256('forged') {where}")
    for tenant_id in (tenant.pk, rival.pk):
        happen(tenant_id, 1)
    seal_events()
    sign_checkpoints()
    assert alerts_of(tenant.pk) == [("verification.failed", "inconsistent-log", "critical")]
    assert alerts_of(rival.pk) == []
    assert checkpoints_of(rival.pk)[-1].size == len(leaves_of(rival.pk))
    sign_checkpoints()
    assert len(alerts_of(tenant.pk)) == 1


def test_what_is_late_is_an_alert(tenant, rival, settings) -> None:
    settings.VAULT = {**settings.VAULT, "AUDIT_LATE_SECONDS": 600}
    seal_events()
    sign_checkpoints()
    watch_sealing()
    assert alerts_of(rival.pk) == []
    record(tenant.pk, make_event(time=timezone.now() - timedelta(seconds=700)))
    assert status_of(tenant.pk).is_late
    watch_sealing()
    assert alerts_of(tenant.pk) == [("sealing.stalled", "sealing", "warning")]
    seal_late_events()
    assert tenant.pk in uncovered_tenants(timedelta(seconds=600))
    watch_sealing()
    assert ("checkpoint.stopped", "signing", "warning") in alerts_of(tenant.pk)


def test_an_event_whose_clock_is_hours_behind_is_late_and_sealed_like_any_other(tenant, settings) -> None:
    settings.VAULT = {**settings.VAULT, "AUDIT_LATE_SECONDS": 600}
    seal_events()
    record(tenant.pk, straggler := make_event(time=timezone.now() - timedelta(hours=5)))
    assert seal_events() == 0
    assert (status_of(tenant.pk).unsealed, status_of(tenant.pk).is_late) == (1, True)
    watch_sealing()
    assert alerts_of(tenant.pk) == [("sealing.stalled", "sealing", "warning")]
    OutboxEntry.objects.using("system").filter(event_id=straggler.id).update(delivered_at=timezone.now())
    assert tenant.pk not in straggling_tenants(age=timedelta(seconds=600)), "the relay's clock tells how long it waits"
    assert not status_of(tenant.pk).is_late
    assert seal_late_events() >= 1
    require_sealed(tenant.pk)
    assert seal_late_events() == 0
    assert status_of(tenant.pk).unsealed == 0


def test_an_alert_ends_when_nothing_is_late_any_more(tenant, settings) -> None:
    settings.VAULT = {**settings.VAULT, "AUDIT_LATE_SECONDS": 600, "AUDIT_CHECKPOINT_SECONDS": 0}
    seal_events()
    sign_checkpoints()
    record(tenant.pk, straggler := make_event(time=timezone.now() - timedelta(hours=5)))
    watch_sealing()
    OutboxEntry.objects.using("system").filter(event_id=straggler.id).delete()
    watch_sealing()
    assert open_alerts_of(tenant.pk) == [("sealing.stalled", "sealing")], "it still waits, though nothing names it"
    seal_forgotten_events()
    watch_sealing()
    assert open_alerts_of(tenant.pk) == [("checkpoint.stopped", "signing")]
    sign_checkpoints()
    watch_sealing()
    assert open_alerts_of(tenant.pk) == []
    assert len(alerts_of(tenant.pk)) == 2


def test_an_error_of_the_database_in_one_log_stops_nobody_else(tenant, rival) -> None:
    happen(tenant.pk, 1)
    happen(rival.pk, 1)
    with refusing("audit_leaf", tenant.pk):
        assert tenant.pk in waiting_tenants()
        seal_events()
        SealRound()()
        assert leaves_of(tenant.pk) == []
        require_sealed(rival.pk)
        seal_late_events()
    seal_events()
    require_sealed(tenant.pk)
    with refusing("audit_checkpoint", tenant.pk):
        sign_checkpoints()
        assert checkpoints_of(tenant.pk) == []
        assert checkpoints_of(rival.pk)[-1].size == len(leaves_of(rival.pk))


@contextmanager
def refusing(table: str, tenant_id) -> Iterator[None]:
    """The database takes no row of this tenant into the table."""
    name = f"test_refuse_{uuid4().hex}"
    as_owner(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;",
        f"GRANT EXECUTE ON FUNCTION {name}() TO vault_system",
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.tenant_id = '{tenant_id}')"
        f" EXECUTE FUNCTION {name}()",
    )
    try:
        yield
    finally:
        as_owner(f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()")


class LibraryFault(Exception):
    """What a storage's library raises: neither an OSError nor one of the vault's."""


class Strange(FileSystemStorage):
    """A storage whose library has errors of its own."""

    def _open(self, name: str, mode: str = "rb") -> File:
        raise LibraryFault(name, mode)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        raise LibraryFault(path)


def test_what_a_storage_library_raises_is_a_witness_that_does_not_answer(tmp_path) -> None:
    witness = StorageWitness(Strange(location=tmp_path))
    witness.name = "strange"
    for ask in (lambda: witness.hold("log", 1, "note"), lambda: witness.read("log", 1), lambda: witness.newest("log")):
        with pytest.raises(WitnessUnavailable) as refused:
            ask()
        assert refused.value.extra["reason"] == "LibraryFault"


def test_a_checkpoint_that_no_witness_takes_is_an_alert(tenant, settings, tmp_path) -> None:
    (tmp_path / "in-the-way").write_text("")
    seal_events()
    sign_checkpoint(tenant.pk)
    settings.VAULT = {**settings.VAULT, "AUDIT_LATE_SECONDS": 0, "AUDIT_WITNESS_FOLDER": tmp_path / "in-the-way"}
    witness_checkpoints(tenant.pk)
    watch_sealing()
    assert ("checkpoint.stopped", "witnessing", "warning") in alerts_of(tenant.pk)


def test_the_status_tells_how_far_sealing_is(tenant) -> None:
    before = status_of(tenant.pk)
    assert (before.sealed, before.checkpoint_size, before.last_checkpoint_at) == (0, 0, None)
    assert before.unsealed == len(events_of(tenant.pk))
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    happen(tenant.pk, 2)
    after = status_of(tenant.pk)
    assert (after.sealed, after.unsealed, after.checkpoint_size) == (before.unsealed, 2, before.unsealed)
    assert after.last_checkpoint_at == checkpoints_of(tenant.pk)[-1].time
    assert 0 < after.oldest_unsealed_seconds < 600
    assert not after.is_late
    assert after.witnesses[0].size == 0


def rotate(**options) -> None:
    call_command("rotate_audit_key", **options)


def test_a_rotation_is_signed_by_both_keys_and_told_to_every_log(tenant, capsys) -> None:
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    origin = origin_of(tenant.pk)
    save_keys(load_keys().with_newest_only())
    old = load_keys().verifiers(origin)[0]
    rotate()
    new = load_keys().verifiers(origin)[0]
    assert capsys.readouterr().out == f"{new.public.hex()}\n"
    assert old in load_keys().verifiers(origin)
    assert old != new
    change = checkpoints_of(tenant.pk)[-1]
    assert set(open_note(change.note, [old, new])[1]) == {old, new}
    assert {Verifier.parse(line) for line in change.verifiers.splitlines()} == {old, new}
    assert "audit.key.rotated" in {event.type for event in events_of(tenant.pk).values()}
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    assert open_note(sign_checkpoint(tenant.pk).note, [old, new])[1] == [new]


def test_a_rotation_that_was_killed_is_ended_by_the_next_call(tenant) -> None:
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    origin = origin_of(tenant.pk)
    both = load_keys().with_newest_only().with_new_key()
    save_keys(both)  # and then it dies
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    count = len(checkpoints_of(tenant.pk))
    rotate()
    assert load_keys().verifiers(origin) == both.verifiers(origin)
    assert len(load_keys().signing) == 1
    assert len(checkpoints_of(tenant.pk)) == count  # it had one of both already


def test_a_lost_key_is_replaced_by_one_that_signs_alone(tenant, tmp_path) -> None:
    """Its public key comes from a file that somebody kept: a key that the database names is trusted by nobody."""
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    ring = load_keys()
    old = ring.verifiers(origin_of(tenant.pk))[0]
    save_keys(KeyRing(ring.with_new_key().signing[-1:]))
    with pytest.raises(CommandError, match="did not sign the last checkpoint"):
        rotate()
    kept = tmp_path / "audit-keys.txt"
    for content in ("", "no key", f"{old}\nno key"):
        kept.write_text(content)
        with pytest.raises(CommandError, match="not verifier keys"):
            rotate(lost=kept)
    stranger = verifier_of(origin_of(tenant.pk), Ed25519PrivateKey.generate())
    tamper("audit_checkpoint", f"UPDATE audit_checkpoint SET verifiers = '{stranger}' WHERE tenant_id = '{tenant.pk}'")
    kept.write_text(f"{old}\n")
    rotate(lost=kept)
    assert stranger.public not in {one.public for one in load_keys().verifiers(origin_of(tenant.pk))}
    new = load_keys().verifiers(origin_of(tenant.pk))[0]
    assert open_note(checkpoints_of(tenant.pk)[-1].note, [old, new])[1] == [new]
    assert old in load_keys().verifiers(origin_of(tenant.pk))
