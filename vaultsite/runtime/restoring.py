"""How far a restore has come: a file in VAULT_HOME, which keeps the vault closed until the last step is done."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from vaultsite.runtime.home import write_private

STATE: Final = "restore.json"
DONE: Final = "restored.json"


@dataclass(frozen=True)
class Progress:
    """Which backup of which repository is restored here, and the steps that are done."""

    repository: str
    backup: str
    steps: tuple[str, ...] = ()

    def after(self, step: str) -> "Progress":
        return replace(self, steps=(*self.steps, step))


def is_restoring(home: Path) -> bool:
    """Whether a restore was begun in ``home`` and has not ended: nobody may be let in."""
    return (home / STATE).exists()


def read_progress(home: Path) -> Progress | None:
    """The restore that was begun in ``home`` and has not ended."""
    if not is_restoring(home):
        return None
    told = json.loads((home / STATE).read_text(encoding="utf-8"))
    return Progress(told["repository"], told["backup"], tuple(told["steps"]))


def write_progress(home: Path, progress: Progress) -> None:
    write_private(home / STATE, json.dumps(asdict(progress)))


def end_progress(home: Path) -> None:
    """Open the vault: the state is kept under another name, for who asks what was restored."""
    (home / STATE).rename(home / DONE)
