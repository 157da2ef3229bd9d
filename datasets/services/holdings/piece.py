"""What a reader of stored things hands out: a text and where it lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from datasets.services.pack_reader import PackReader


@dataclass(frozen=True, slots=True)
class Piece:
    """One stored text, usually JSON. ``object_id`` is what holds it, ``record_id`` the record it is (empty: none)."""

    object_id: UUID
    record_id: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces read together. After it, reading can begin again behind ``after``; ``unreadable`` did not open."""

    after: UUID
    pieces: list[Piece]
    unreadable: int = 0


#: Reads a dataset's things of one store behind the id given (None: all), in short scopes of its own.
Source: TypeAlias = Callable[[PackReader, UUID | None], Iterator[Block]]
