"""One entry of the replay journal."""

from dataclasses import dataclass, field
from typing import Any, Final

#: Kinds of entries, in the order in which they are replayed.
KEY: Final = "key-destroyed"
RELEASE: Final = "hold-released"
PURGE: Final = "dataset-purged"
ERASURE: Final = "records-erased"
REFUSAL: Final = "erasure-refused"
PERSON: Final = "person-erased"


@dataclass(frozen=True)
class Entry:
    """``id`` is the key, the hold, the dataset or the erasure (of records, or of a person); ``facts`` are what it takes
    to do it again.

    Of a destroyed KEK they name as ``lost`` the keys that went with it: those it still wrapped.
    """

    kind: str
    tenant: str
    id: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id
