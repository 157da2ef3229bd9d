"""How people are named: keys of the tenant's subject index, made of identifiers that are kept nowhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from access.services.keyring import KeyPurpose, current_key
from datasets.services.ingest.subjects import INDEXED, normalize, subject_key
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import FieldProblem

#: Identifiers of one person that one request may give.
MAX_IDENTIFIERS: Final = 16
MAX_VALUE: Final = 320
_TYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


@dataclass(frozen=True)
class Identifier:
    """One identifier of a person: an entity type of the subject index, or one that a dataset declares, and a value."""

    type: str
    value: str


def problems_of(identifiers: Sequence[Identifier]) -> list[FieldProblem]:
    """Why the identifiers cannot name a person; never quotes one."""
    if not 0 < len(identifiers) <= MAX_IDENTIFIERS:
        return [FieldProblem("/identifiers", f"1 to {MAX_IDENTIFIERS} identifiers of one person")]
    problems = []
    for place, one in enumerate(identifiers):
        if not _TYPE.fullmatch(one.type):
            known = ", ".join(sorted(INDEXED)[:3])
            problems.append(FieldProblem(f"/identifiers/{place}/type", f"a type like {known}, in capitals"))
        if len(one.value) > MAX_VALUE or not normalize(one.type, one.value):
            problems.append(
                FieldProblem(f"/identifiers/{place}/value", f"1 to {MAX_VALUE} characters that name somebody")
            )
    return problems


def keys_of(identifiers: Sequence[Identifier]) -> frozenset[bytes]:
    """The keys of the person in the open scope's tenant: 32 bytes each, of no use to any other tenant."""
    return keys_under(current_key(KeyPurpose.INDEX).key, identifiers)


def keys_under(index: SecretKey, identifiers: Sequence[Identifier]) -> frozenset[bytes]:
    """The same, under the tenant's index key as it was looked up before."""
    return frozenset(subject_key(index, one.type, one.value) for one in identifiers)
