"""References to versions of policies, as obligations carry them: ``name@3``, or ``preset:name@1``."""

import re
from typing import Final, NamedTuple

#: Names of policies: short words for paths, obligations and the audit.
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}[a-z0-9]")
PRESET: Final = "preset:"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class PolicyReference(NamedTuple):
    """A version of a policy by name and number."""

    name: str
    number: int
    is_preset: bool = False

    def __str__(self) -> str:
        return f"{PRESET if self.is_preset else ''}{self.name}@{self.number}"

    @classmethod
    def of(cls, text: str) -> "PolicyReference | None":
        """None for what is no reference."""
        named, _, number = text.rpartition("@")
        name = named.removeprefix(PRESET)
        if not NAME.fullmatch(name) or not _NUMBER.fullmatch(number):
            return None
        return cls(name, int(number), named.startswith(PRESET))
