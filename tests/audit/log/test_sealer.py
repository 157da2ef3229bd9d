"""Rules of the sealer: every event gets exactly one place, in one sequence without a gap."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction
from django.utils import timezone

from audit.log import sealer
from audit.log.errors import MissingHashes
from audit.log.sealer import GRACE, LONG_GRACE, seal_tenant, waiting_tenants
from audit.log.stored import StoredTree
from audit.log.tree import Frontier, verify_consistency
from audit.log.upkeep import seal_all
from audit.models import AuditTile
from tests.audit.log.logs import as_owner, events_of, happen, leaves_of, require_sealed, tamper
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID
from vaultsite.kernel.tenancy.scope import tenant_scope

TABLES = ("audit_leaf", "audit_tile", "audit_checkpoint", "audit_witness_receipt")
#: Seals one tenant over and over, in a process that can be killed.
SEAL_FOR_EVER = """
import sys; from uuid import UUID
import django; django.setup()
from audit.log import sealer
sealer.BATCH = 7
print("ready", flush=True)
while True:
    sealer.seal_tenant(UUID(sys.argv[1]))
"""


def test_the_first_event_of_a_new_tenant_is_sealed_without_set_up(tenant) -> None:
    assert tenant.pk in waiting_tenants()
    assert seal_tenant(tenant.pk) == len(events_of(tenant.pk)) > 0  # making the tenant told of itself
    require_sealed(tenant.pk)
    assert tenant.pk not in waiting_tenants()
    assert seal_tenant(tenant.pk) == 0


def test_events_of_the_platform_and_of_every_tenant_are_sealed_apart(tenant, rival) -> None:
    happen(PLATFORM_TENANT_ID, 1)
    happen(tenant.pk, 2)
    assert seal_all(window=None) >= 3
    for tenant_id in (PLATFORM_TENANT_ID, tenant.pk, rival.pk):
        require_sealed(tenant_id)


def test_a_log_that_grows_by_tiles_is_the_tree_of_all_its_leaves(tenant, monkeypatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 100)
    roots, frontier = {}, Frontier()
    for count in (130, 3, 400, 1):
        happen(tenant.pk, count)
        seal_tenant(tenant.pk)
        stored = StoredTree(tenant.pk, using="system")
        for leaf in leaves_of(tenant.pk)[frontier.size :]:
            frontier.append(bytes(leaf.leaf))
        assert stored.root(stored.size()) == frontier.root()
        roots[frontier.size] = frontier.root()
    require_sealed(tenant.pk)
    assert AuditTile.objects.using("system").filter(tenant_id=tenant.pk).count() == frontier.size // 256
    stored = StoredTree(tenant.pk, using="system")
    for old, root in roots.items():
        proof = stored.consistency_proof(old, frontier.size)
        verify_consistency(old=old, new=frontier.size, old_root=root, new_root=frontier.root(), proof=proof)


def test_an_event_that_was_committed_late_is_sealed_behind_what_overtook_it(tenant) -> None:
    late = make_event()
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        emit(late)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(_happen_and_seal, tenant.pk).result()
        assert late.id not in {leaf.event_id for leaf in leaves_of(tenant.pk)}
    seal_tenant(tenant.pk)
    assert leaves_of(tenant.pk)[-1].event_id == late.id
    require_sealed(tenant.pk)


def _happen_and_seal(tenant_id) -> None:
    try:
        happen(tenant_id, 3)
        seal_tenant(tenant_id)
    finally:
        connections.close_all()


@pytest.mark.parametrize(("age", "window"), [(GRACE * 2, LONG_GRACE), (LONG_GRACE * 2, None)])
def test_what_comes_too_late_for_the_frequent_search_is_found_by_a_wider_one(tenant, age, window) -> None:
    happen(tenant.pk, 1)
    seal_tenant(tenant.pk)
    straggler = make_event(time=timezone.now() - age)
    record(tenant.pk, straggler)
    assert seal_tenant(tenant.pk) == 0
    assert seal_tenant(tenant.pk, window=window) == 1
    happen(tenant.pk, 1)
    assert seal_tenant(tenant.pk) == 1
    require_sealed(tenant.pk)


def test_a_clock_that_is_ahead_hides_nothing_that_happens_after(tenant) -> None:
    record(tenant.pk, make_event(time=timezone.now() + timedelta(days=1)))
    seal_tenant(tenant.pk)
    happen(tenant.pk, 2)
    assert seal_tenant(tenant.pk) == 2


def test_what_has_waited_long_is_told_from_what_has_not(tenant) -> None:
    seal_tenant(tenant.pk)
    record(tenant.pk, make_event(time=timezone.now() - timedelta(seconds=30)))
    assert tenant.pk in waiting_tenants(age=timedelta(seconds=20))
    assert tenant.pk not in waiting_tenants(age=timedelta(seconds=50))


def test_a_fold_that_fails_seals_nothing(tenant) -> None:
    """Leaves, tiles and counts are one transaction."""
    name = f"test_refuse_{uuid4().hex}"
    condition = f"WHEN (NEW.tenant_id = '{tenant.pk}')"
    as_owner(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;",
        f"GRANT EXECUTE ON FUNCTION {name}() TO vault_system",
        f"CREATE TRIGGER {name} BEFORE INSERT ON audit_rollup_hour FOR EACH ROW {condition} EXECUTE FUNCTION {name}()",
    )
    try:
        with pytest.raises(DatabaseError, match="full"):
            seal_tenant(tenant.pk)
        assert leaves_of(tenant.pk) == []
    finally:
        as_owner(f"DROP TRIGGER {name} ON audit_rollup_hour", f"DROP FUNCTION {name}()")
    assert seal_tenant(tenant.pk) > 0
    require_sealed(tenant.pk)


def test_one_sequence_comes_of_many_writers_several_sealers_and_one_that_is_killed(tenant, monkeypatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 7)
    # Each has a connection, and this thread one of each kind: as many as the pools give at a time.
    writers, sealing_too, each, per_scope = 8, 3, 16, 3
    command = [sys.executable, "-c", SEAL_FOR_EVER, str(tenant.pk)]
    victim = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE)
    assert victim.stdout
    assert victim.stdout.readline() == b"ready\n"
    with ThreadPoolExecutor(writers) as threads, ThreadPoolExecutor(sealing_too) as sealers:
        writing = [threads.submit(_write, tenant.pk, each, per_scope) for _ in range(writers)]
        sealing = [sealers.submit(_seal_until, tenant.pk, writing) for _ in range(sealing_too)]
        while len(leaves_of(tenant.pk)) < 20:
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        for one in (*writing, *sealing):
            one.result()
    victim.stdout.close()
    _wait_for_backends(tenant.pk)
    assert len(leaves_of(tenant.pk)) >= writers * each * per_scope
    require_sealed(tenant.pk)


def _write(tenant_id, scopes: int, events: int) -> None:
    try:
        for _ in range(scopes):
            happen(tenant_id, events)
    finally:
        connections.close_all()


def _seal_until(tenant_id, writing) -> None:
    """Seal while any of these futures is worked on, and once more."""
    try:
        while not all(one.done() for one in writing):
            seal_tenant(tenant_id)
        seal_tenant(tenant_id)
    finally:
        connections.close_all()


def _wait_for_backends(tenant_id) -> None:
    """The backend of a killed client ends its transaction when it notices; then nobody holds the turn."""
    deadline = time.monotonic() + 20
    while len(leaves_of(tenant_id)) < len(events_of(tenant_id)) and time.monotonic() < deadline:
        seal_tenant(tenant_id)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nobody_changes_the_log(tenant, table, change) -> None:
    statement = change.format(table)
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        connections["default"].cursor().execute(statement)
    with pytest.raises(ProgrammingError, match="permission denied"):
        connections["system"].cursor().execute(statement)
    if table in ("audit_leaf", "audit_tile") or "TRUNCATE" in change:
        happen(tenant.pk, 256)
        seal_tenant(tenant.pk)
        with pytest.raises(ProgrammingError, match="never changed"):
            as_owner(statement)


def test_the_application_cannot_make_leaves(tenant) -> None:
    insert = (
        "INSERT INTO audit_leaf (tenant_id, seq, event_id, event_time, leaf)"
        f" VALUES ('{tenant.pk}', 0, '{uuid4()}', now(), '')"
    )
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        connections["default"].cursor().execute(insert)


def test_a_leaf_or_a_tile_that_is_gone_stops_the_sealer_of_that_log(tenant) -> None:
    happen(tenant.pk, 300)
    seal_tenant(tenant.pk)
    size = len(leaves_of(tenant.pk))
    tamper("audit_leaf", f"DELETE FROM audit_leaf WHERE tenant_id = '{tenant.pk}' AND seq = {size - 2}")
    happen(tenant.pk, 1)
    with pytest.raises(MissingHashes):
        seal_tenant(tenant.pk)
    with pytest.raises(MissingHashes):
        StoredTree(tenant.pk, using="system").root(size)


def test_a_tile_of_another_length_is_refused(tenant) -> None:
    happen(tenant.pk, 260)
    seal_tenant(tenant.pk)
    tamper("audit_tile", f"UPDATE audit_tile SET hashes = substr(hashes, 1, 32) WHERE tenant_id = '{tenant.pk}'")
    with transaction.atomic(using="system"), pytest.raises(MissingHashes):
        StoredTree(tenant.pk, using="system").inclusion_proof(3, 256)
