"""Maintenance that is killed while a month leaves the database, or the archive: nothing is lost, and nothing stays."""

import os
import signal
import subprocess
import sys

import pytest

from audit.log.sealer import seal_tenant
from audit.models import AuditMonthDrop
from tests.audit.archive.conftest import _settings, month  # noqa: F401 - fixtures
from tests.audit.archive.moving import archive, happened, parts_of, remove
from tests.audit.proofs.logs import grow
from tests.audit.test_verification import found, verify
from tests.factories.access import acting
from tests.journeys.statements import dies_before
from vaultsite.kernel.blobs import BlobStore
from vaultsite.runtime.environment import PROJECT

pytestmark = pytest.mark.slow
DEATHS = {
    "the second object is stored, its row not finished": (('UPDATE "audit_archive_part"', "sha256"), 2),
    "everything is written and told, the month still there": (("audit_drop_partition",), 1),
}


def killed(tmp_path, does: str, words: tuple[str, ...], count: int) -> None:
    died = tmp_path / "died"
    process = subprocess.run(
        [sys.executable, "-m", "tests.journeys.archiving", does],
        cwd=PROJECT,
        env=os.environ | dies_before(died, *words, count=count),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (process.returncode, died.exists()) == (-signal.SIGKILL, True), process.stderr.decode()


@pytest.mark.parametrize("death", DEATHS)
def test_a_month_whose_move_is_killed_goes_whole_the_next_time(tenant, month, tmp_path, death) -> None:  # noqa: F811
    happened(tenant.pk, month, events=5)
    before = set(BlobStore.default().names("audit-archive/"))
    killed(tmp_path, "archive", *DEATHS[death])
    seal_tenant(tenant.pk)
    run = verify(tenant.pk)
    assert (run.findings, run.walk.archived) == ([], 0)
    assert archive(month).events == 5
    parts = parts_of(tenant.pk)
    assert set(BlobStore.default().names("audit-archive/")) - before == {part.name for part in parts}
    assert sum(part.events for part in parts) == 5
    seal_tenant(tenant.pk)
    run = verify(tenant.pk)
    assert (run.findings, run.walk.archived) == ([], 5)


def test_a_removal_that_is_killed_ends_the_next_time(tenant, month, tmp_path) -> None:  # noqa: F811
    """Told and written down, one object gone: what is left of the month is no damage, and goes too."""
    happened(tenant.pk, month, events=5)
    archive(month)
    grow(tenant.pk)
    killed(tmp_path, "remove", ('UPDATE "audit_archive_part"', "removed_at"), 1)
    with acting(tenant):
        assert AuditMonthDrop.objects.count() == 1
    seal_tenant(tenant.pk)
    assert found(tenant.pk) == []
    (gone,) = remove(month)
    assert gone.kept_because == ""
    assert all(part.removed_at and not BlobStore.default().exists(part.name) for part in parts_of(tenant.pk))
    run = verify(tenant.pk)
    assert (run.findings, run.walk.removed) == ([], 5)
