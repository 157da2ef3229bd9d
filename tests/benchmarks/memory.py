"""How much memory a worker needs at most."""

import subprocess
import sys

from tests.benchmarks import vault
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.inputs import small
from vaultsite.kernel.tenancy.scope import tenant_scope


def measure_worker(plan: Plan) -> list[Figure]:
    """``worker_peak_mb``: the peak of a process that ingests very many small records."""
    principal = vault.steward()
    with vault.new_dataset(principal) as dataset:
        queued = vault.queue(principal, dataset, small(plan.seed, plan.small_records))
        command = [sys.executable, "-m", "tests.benchmarks.worker", str(principal.tenant_id), str(queued.pk)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # its errors go to ours
        idle, peak, seconds = map(float, done.stdout.split())
        with tenant_scope(principal.tenant_id, principal):
            queued.refresh_from_db()
    assert queued.status == "succeeded", queued.error
    note = (
        f"largest resident set of a process of its own in MB; baseline: before its first record, with the "
        f"detector loaded; {queued.received_bytes / 1e6:.1f} MB of input in {seconds:.0f} s"
    )
    return [Figure("worker_peak_mb", peak, "MB", idle, plan.small_records, plan.seed, note)]
