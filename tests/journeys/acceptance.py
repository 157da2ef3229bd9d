"""The long journey: 200,000 records, the worker killed twice and PostgreSQL once on the way.

``python -m tests.journeys.acceptance [records] [folder]`` prints what came of it as JSON and fails when any of it is
not as it must be.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import django

from tests.journeys.vault import Vault, running_vault
from tests.journeys.waiting import until
from vaultsite.runtime.environment import embedded_environment

RECORDS = 200_000
RSS_LIMIT_MB = 600
PATIENCE = 3600.0


class PeakMemory(threading.Thread):
    """The largest resident set of any process of the worker, MB, as the kernel counted it."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(daemon=True)
        self._vault = vault
        self.mb = 0.0

    def run(self) -> None:
        while True:
            parent = self._vault.pid("worker")
            for pid in [parent, *children_of(parent)]:
                self.mb = max(self.mb, peak_of(pid))
            time.sleep(0.2)


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def peak_of(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024 if "VmHWM" in status else 0.0


def file_of(count: int) -> Iterator[bytes]:
    """Short chats, one in ten with an e-mail address, in blocks of a thousand lines."""
    for start in range(0, count, 1000):
        lines = (
            {
                "prompt": f"Question {index}: what is {index} times 7, and why?",
                "response": f"It is {index * 7}." + (f" Ask ada.{index}@example.com." if index % 10 == 0 else ""),
            }
            for index in range(start, min(start + 1000, count))
        )
        yield b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def ingest_of(vault: Vault, steward: dict[str, str], ingest: str) -> dict[str, Any]:
    """The ingest as the API shows it; nothing while the vault recovers."""
    try:
        status, body = vault.ask("GET", f"/ingests/{ingest}", **steward)
    except OSError:
        return {}
    return json.loads(body) if status == 200 else {}


def disturbed(vault: Vault, steward: dict[str, str], ingest: str, count: int) -> list[str]:
    """Kill the worker in the first half of the scan, PostgreSQL in the second, and the worker in the build."""
    killed = []

    def reached(share: float, stage: str) -> bool:
        progress = ingest_of(vault, steward, ingest).get("progress", {})
        if progress.get("stage") != stage and stage == "scan":
            assert progress.get("stage") not in {"build", "done"}, "too late to kill anything in the scan"
        return progress.get("stage") == stage and progress.get("records", 0) >= share * count

    for share, stage, name in ((0.25, "scan", "worker"), (0.6, "scan", "postgres"), (0.0, "build", "worker")):
        until(lambda share=share, stage=stage: reached(share, stage), seconds=PATIENCE, every=0.05)
        parent = vault.pid(name)
        for pid in (children_of(parent) if name == "worker" else []) + [parent]:
            os.kill(pid, SIGKILL)
        killed.append(f"{name} in {stage} at {ingest_of(vault, steward, ingest).get('progress')}")
        until(lambda name=name, parent=parent: vault.pid(name) not in {0, parent}, seconds=PATIENCE)
    return killed


def journey(folder: Path, count: int) -> dict[str, Any]:
    with running_vault(folder) as vault:
        os.environ.update(embedded_environment(vault.home))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
        django.setup()
        key = vault.manage("create_api_key", "--tenant", "demo", "--role", "data_steward")
        return measured(vault, {"Authorization": f"Bearer {key}", "X-Vault-Purpose": "evaluation"}, count)


def measured(vault: Vault, steward: dict[str, str], count: int) -> dict[str, Any]:
    from django.db import connections

    from access.selectors import find_tenant
    from datasets.models import Chunk, Ingest, Version
    from tests.factories.access import acting
    from tests.factories.datasets import reload
    from tests.journeys import jobs

    tenant = find_tenant("demo")
    status, body = vault.ask("POST", "/datasets", {"name": f"journey of {count} records"}, **steward)
    dataset = json.loads(body)["id"]
    memory = PeakMemory(vault)
    memory.start()
    before = time.monotonic()
    status, body = vault.ask("POST", f"/datasets/{dataset}/data", file_of(count), **steward)
    assert status == 202, body
    with acting(tenant):
        ingest = Ingest.objects.get(pk=json.loads(body)["id"])
    beginning = jobs.remember(tenant, ingest)
    connections.close_all()  # ours will not outlive PostgreSQL either
    killed = disturbed(vault, steward, str(ingest.pk), count)
    until(lambda: ingest_of(vault, steward, str(ingest.pk)).get("finished_at"), seconds=PATIENCE, every=0.5)
    seconds = time.monotonic() - before
    done = reload(tenant, ingest)
    with acting(tenant):
        versions = list(Version.objects.filter(dataset_id=dataset).values_list("label", "record_count"))
        chunks = Chunk.objects.filter(dataset_id=dataset, kind="chunk").count()
    status, body = vault.ask("GET", f"/datasets/{dataset}/data", **steward)
    lines = body.splitlines()
    orphans = sorted(orphans_of())
    again = jobs.do_again(tenant, ingest, beginning)
    return {
        "records": count,
        "status": done.status,
        "attempts": done.attempt,
        "killed": killed,
        "seconds": round(seconds, 1),
        "worker_peak_mb": round(memory.mb, 1),
        "versions": versions,
        "lines_read": len(lines),
        "distinct_lines_read": len(set(lines)),
        "chunks": [done.version.chunk_count, chunks],
        "orphans": orphans,
        "same_root": bytes(again.root) == bytes(done.version.root),
        "same_version_id": bytes(again.digest) == bytes(done.version.digest),
    }


def orphans_of() -> set[str]:
    """Objects that no row names, after a sweep."""
    from datasets.models import Blob
    from datasets.services.sweep import sweep_blobs
    from vaultsite.kernel.blobs import BlobStore

    until(lambda: sweep_blobs() == 0)
    stored = set(BlobStore.default().names())
    return stored - set(Blob.objects.using("system").values_list("name", flat=True))


def main(count: int, folder: str) -> int:
    report = journey(Path(folder), count)
    print(json.dumps(report, indent=2))  # noqa: T201 - its purpose
    good = (
        report["status"] == "succeeded"
        and report["versions"] == [("v1.0.0", count)]
        and report["lines_read"] == report["distinct_lines_read"] == count
        and not report["orphans"]
        and report["same_version_id"]
        and report["worker_peak_mb"] < RSS_LIMIT_MB
    )
    return 0 if good else 1


if __name__ == "__main__":
    chosen = sys.argv[1:] + [str(RECORDS), tempfile.mkdtemp(prefix="vault-journey-")][len(sys.argv) - 1 :]
    sys.exit(main(int(chosen[0]), chosen[1]))
