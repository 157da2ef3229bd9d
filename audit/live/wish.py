"""What a socket asks for in its address: which events, and from where on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from vaultsite.kernel.errors import FieldProblem, InvalidInput

#: Names messages of jobs among the types.
PROGRESS: Final = "job.progress"
#: Types that one address may name, and members it may have.
MAX_TYPES: Final = 32
_MAX_MEMBERS: Final = 40

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """Only events of ``dataset_id`` and ``types`` (None, empty: of any); ``after``: the last event known already."""

    dataset_id: UUID | None = None
    types: frozenset[str] = frozenset()
    after: UUID | None = None

    def wants_event(self, event: Message) -> bool:
        is_of_dataset = self.dataset_id is None or event.get("partitionkey") == str(self.dataset_id)
        return is_of_dataset and (not self.types or event.get("type") in self.types)

    @property
    def wants_progress(self) -> bool:
        return not self.types or PROGRESS in self.types


def read_wish(query: bytes) -> Wish:
    """``?dataset=<id>&type=<type>&type=..&after=<event id>``. Raises InvalidInput naming the member."""
    try:
        members = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_MEMBERS)
    except ValueError as exc:  # too many, or no ASCII
        raise InvalidInput("the query cannot be read") from exc
    types = frozenset(value for name, value in members if name == "type")
    if unknown := {name for name, _ in members} - {"dataset", "type", "after"}:
        raise InvalidInput(errors=[FieldProblem(field=name[:64], detail="not a member of it") for name in unknown])
    if len(types) > MAX_TYPES:
        raise InvalidInput(errors=[FieldProblem(field="type", detail=f"at most {MAX_TYPES}")])
    return Wish(_id(members, "dataset"), types, _id(members, "after"))


def _id(members: list[tuple[str, str]], name: str) -> UUID | None:
    given = [value for member, value in members if member == name]
    try:
        return UUID(given[-1]) if given else None
    except ValueError as exc:
        raise InvalidInput(errors=[FieldProblem(field=name, detail="an id is expected")]) from exc
