"""Try a backup: restore it into an empty second vault with servers of its own, read there, and remove it again."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from compliance.backup.manifest import Manifest
from compliance.backup.record import Compared, DrillFacts
from compliance.backup.repository import Repository
from vaultsite.backup.kept_apart import kms_folder
from vaultsite.backup.restore import DRILL
from vaultsite.kernel.errors import InternalFault
from vaultsite.runtime.environment import PROJECT, without_databases

#: Steps of a restore after which the vault serves: what comes later is not part of how long it was away.
SERVING: Final = ("check", "database", "objects", "keys", "replay", "verify")
#: What would lead the second vault to the servers, the store and the witnesses of the first.
_OWN: Final = frozenset(
    f"VAULT_{name}{ending}"
    for name in (
        *("HOME", "SECRET_KEY", "REDIS_URL", "BROKER_URL", "STORAGE_BACKEND", "STORAGE_OPTIONS", "REGIONS", "ZONES"),
        *("BACKUP_FOLDER", "BACKUP_KEY", "AUDIT_WITNESS_FOLDER", "AUDIT_WITNESS_URL"),
    )
    for ending in ("", "_FILE")
)


def second_environment(home: Path, *, keys_from_backup: bool) -> dict[str, str]:
    """The environment of a vault in ``home`` that shares nothing with this one but keys, if the backup has none."""
    kept = {name: value for name, value in without_databases(os.environ).items() if name not in _OWN}
    kept |= {"VAULT_HOME": os.fspath(home), "VAULT_STORAGE_OPTIONS": _toml(location=home / "blobs")}
    folder = kms_folder()
    if folder is not None:
        kept["VAULT_KMS_OPTIONS"] = _toml(directory=home / "kms" if keys_from_backup else folder)
    signing = home / "audit-keys.pem" if keys_from_backup else Path(settings.VAULT["AUDIT_KEY_FILE"])
    return kept | {"VAULT_AUDIT_KEY_FILE": os.fspath(signing)}


def run_drill(
    repository: Repository, manifest: Manifest, key_file: Path, *, records: int
) -> tuple[DrillFacts, list[Compared]]:
    """Restore and compare; what fails is in the facts, for a drill that failed is what a drill is for."""
    began = timezone.now()
    with tempfile.TemporaryDirectory(prefix="vault-drill-") as folder:
        environment = second_environment(Path(folder) / "vault", keys_from_backup=manifest.keys is not None)
        command = [
            *(sys.executable, "manage.py", "restore", os.fspath(repository.folder), "--key-file", os.fspath(key_file)),
            *("--backup", manifest.id, "--reason", DRILL, "--records", str(records)),
        ]
        ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    told = json.loads(ended.stdout.strip().splitlines()[-1]) if ended.returncode == 0 else {}
    facts = DrillFacts(
        backup_id=manifest.id,
        started_at=began,
        finished_at=timezone.now(),
        rto_seconds=round(sum(told.get("seconds", {}).get(step, 0) for step in SERVING)),
        rpo_seconds=round((began - manifest.snapshot_at).total_seconds()),
        error_code="" if ended.returncode == 0 else _code(ended.stderr),
    )
    return facts, [_compared(one, told["replay"]) for one in told.get("compared", ())]


def _compared(one: dict[str, Any], replay: Mapping[str, Any]) -> Compared:
    return Compared(**one, replayed=replay.get("by_tenant", {}).get(one["tenant"], 0))


def _code(said: str) -> str:
    """The code of the error that a command ended with."""
    last = said.strip().splitlines()[-1:] or [""]
    found = [word for word in last[0].split() if word.startswith("VAULT_")]
    return found[0] if found else InternalFault.code


def _toml(**options: Path) -> str:
    return "\n".join(f"{name} = {json.dumps(os.fspath(value))}" for name, value in options.items())
