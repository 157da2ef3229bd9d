"""The file of the demo's logins: a table to be read by people, and read back at the next start."""

import secrets
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from vaultsite.runtime.home import write_private

_TITLES: Final = ("organization", "username", "password", "role")


@dataclass(frozen=True, order=True)
class Login:
    """What somebody types to sign in, and the code of the role they then have. No member holds a space."""

    organization: str
    username: str
    password: str
    role: str

    @classmethod
    def generate(cls, organization: str, role: str) -> "Login":
        """A login named after its role, with a random password (96 bits)."""
        return cls(organization, role.replace("_", "-"), secrets.token_urlsafe(12), role)


def read_logins(path: Path) -> list[Login]:
    """The logins that were written to ``path``; none when there is no such file."""
    if not path.exists():
        return []
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return [Login(*row) for row in rows[1:] if len(row) == len(_TITLES)]


def write_logins(path: Path, logins: Iterable[Login]) -> None:
    """Replace ``path`` (mode 0600) by a table of ``logins`` in columns."""
    rows = [_TITLES, *map(astuple, logins)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    write_private(path, "".join(f"{line}\n" for line in lines))
