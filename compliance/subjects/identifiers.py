"""What a person is searched by: identifiers of known kinds, names, and numbers of somebody's own."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import orjson

from access.services.keyring import open_column, seal_column
from compliance.errors.subjects import IdentifiersForgotten
from compliance.models import SubjectSearch
from compliance.subjects.names import name_words
from datasets.services.ingest.subjects import INDEXED, normalize
from vaultsite.kernel.errors import FieldProblem, InvalidInput

#: A name: never in the index, and no proof of who somebody is.
NAME: Final = "PERSON"
#: A customer number or another identifier that the vault knows no form of: searched as it is written.
OTHER: Final = "OTHER"
KINDS: Final = (*sorted(INDEXED), NAME, OTHER)
MAX_IDENTIFIERS: Final = 50
#: Letters and digits of a value at least: less is found everywhere.
_LEAST: Final = 5
_MOST: Final = 300
_SEALED_AS: Final = "compliance.subject-search"


@dataclass(frozen=True)
class Identifier:
    """One identifier: ``type`` is one of KINDS."""

    type: str
    value: str


@dataclass(frozen=True)
class Known:
    """What is known of the person while the case is open: as given, and as it was found written."""

    identifiers: tuple[Identifier, ...]
    spellings: frozenset[str] = frozenset()


def checked(given: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """The identifiers, each once. Raises InvalidInput naming those that are unknown, too short or too long."""
    found = tuple(dict.fromkeys(Identifier(one.type, one.value.strip()) for one in given))
    problems = [
        FieldProblem(f"/identifiers/{number}", problem)
        for number, one in enumerate(found)
        if (problem := problem_of(one))
    ]
    if not 1 <= len(found) <= MAX_IDENTIFIERS:
        problems.append(FieldProblem("/identifiers", f"1 to {MAX_IDENTIFIERS} identifiers"))
    if problems:
        raise InvalidInput(errors=problems)
    return found


def problem_of(one: Identifier) -> str:
    """What is wrong with an identifier, in words that hold nothing of it; empty where nothing is."""
    if one.type not in KINDS:
        return f"its type is one of {', '.join(KINDS)}"
    if len(one.value) > _MOST:
        return f"at most {_MOST} characters"
    if one.type == NAME:
        return "" if len(name_words(one.value)) > 1 else "a name of two words at least"
    return "" if len(normalize(one.type, one.value)) >= _LEAST else f"at least {_LEAST} letters and digits"


def known_types(given: Iterable[Identifier]) -> list[str]:
    """The kinds of identifiers for a decision's record: nothing that somebody typed."""
    return sorted({one.type for one in given} & set(KINDS))


def seal_known(search_id: UUID, known: Known) -> bytes:
    """Inside a scope."""
    body = {"identifiers": [asdict(one) for one in known.identifiers], "spellings": sorted(known.spellings)}
    return seal_column(_SEALED_AS, search_id.bytes, orjson.dumps(body))


def open_known(search: SubjectSearch) -> Known:
    """Inside a scope. Raises IdentifiersForgotten."""
    if search.identifiers is None:
        raise IdentifiersForgotten
    body = orjson.loads(open_column(_SEALED_AS, search.pk.bytes, bytes(search.identifiers)))
    return Known(tuple(Identifier(**one) for one in body["identifiers"]), frozenset(body["spellings"]))


def indexed(identifiers: Sequence[Identifier]) -> list[tuple[int, Identifier]]:
    """Those that the subject index knows, with their numbers."""
    return [(number, one) for number, one in enumerate(identifiers) if one.type in INDEXED]
