"""The order of the house, and that the contracts which guard it see all of it."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.sources import ROOT, name_of, source_files

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def test_the_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_module_of_the_roof_is_in_the_order():
    listed = {
        name.strip("() ")
        for line in CONFIGURATION["contracts"][0]["layers"]
        for name in line.replace("|", ":").split(":")
    }
    roof = {
        ".".join(name_of(path).split(".")[:2]) for path in source_files() if path.parts[len(ROOT.parts)] == "vaultsite"
    }
    assert roof - {"vaultsite"} <= listed
    assert set(CONFIGURATION["root_packages"]) - {"vaultsite"} <= listed
