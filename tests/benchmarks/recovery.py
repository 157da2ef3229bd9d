"""What a backup and a restore of a whole vault cost beside the programs and copies that they cannot do without."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.versions import stored_dataset
from tests.factories.backup import Place, back_up, new_place
from tests.factories.own_vault import own_vault
from vaultsite.backup.database import libpq_environment, load, owner_parameters
from vaultsite.backup.drill import SERVING, second_environment
from vaultsite.runtime.binaries import client_program
from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.home import Home
from vaultsite.runtime.servers import borrowed_servers


def measure_recovery(plan: Plan) -> list[Figure]:
    """``backup_s`` and ``restore_s`` of a vault with one dataset, with pg_dump, pg_restore and bare copies beside."""
    home = Home(Path(os.environ.get("VAULT_TEST_HOME") or settings.VAULT_HOME).absolute())
    with tempfile.TemporaryDirectory() as name, own_vault(home, Path(name) / "store"):
        folder = Path(name)
        with stored_dataset(replace(plan, own_processes=False), plan.less):
            place = new_place(folder)
            took, again = _seconds(lambda: back_up(place)), _seconds(lambda: back_up(place))
            bare = _seconds(lambda: _bare_backup(folder / "store", folder / "bare"))
            restored = _restored(place, folder, is_safe=plan.own_processes)
            bare_restored = _bare_restored(folder, is_safe=plan.own_processes)
            size = sum(path.stat().st_size for path in (folder / "bare").rglob("*") if path.is_file()) / 1e6
    note = f"one dataset, dump and objects of {size:.0f} MB; the next backup took {again:.1f} s"
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in restored.items())
    dump, load_note = "baseline: pg_dump and a copy of the objects", "baseline: pg_restore and a copy of the objects"
    rto = sum(restored[step] for step in SERVING)
    return [
        Figure("backup_s", round(took, 1), "s", round(bare, 1), plan.less, plan.seed, f"{note}; {dump}"),
        Figure("restore_s", round(rto, 1), "s", round(bare_restored, 1), plan.less, plan.seed, f"{steps}; {load_note}"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _bare_backup(store: Path, target: Path) -> None:
    target.mkdir()
    command = [client_program("pg_dump"), "--format=custom", "--compress=gzip:1", "--enable-row-security"]
    command += ["--no-comments", f"--file={target / 'dump'}"]
    subprocess.run(command, env=libpq_environment(owner_parameters()), check=True)
    shutil.copytree(store, target / "objects")


def _restored(place: Place, folder: Path, *, is_safe: bool) -> dict[str, float]:
    """Seconds of each step, as the command tells them: the start of its servers is in none."""
    command = [sys.executable, "manage.py", "restore", os.fspath(place.folder), "--key-file", os.fspath(place.key_file)]
    command += [] if is_safe else ["--throwaway"]
    environment = second_environment(folder / "restored", keys_from_backup=False)
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])["seconds"]
    return told


def _bare_restored(folder: Path, *, is_safe: bool) -> float:
    with borrowed_servers(folder / "bare-restored", throwaway=not is_safe) as environment:
        url, dump = environment["VAULT_OWNER_DATABASE_URL"], (folder / "bare" / "dump").read_bytes()
        return _seconds(lambda: (load(url, [dump]), shutil.copytree(folder / "bare" / "objects", folder / "copied")))
