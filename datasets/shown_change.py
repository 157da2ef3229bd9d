"""Changed records made ready for a page: side by side, word by word, all of it on the reader's view."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from datasets.json_merge import ABSENT, MemberChange
from datasets.services.diff import ShownChange
from datasets.shown_record import ShownRecord, show_record
from datasets.word_diff import Sides, compare_words

#: Members of one record that are shown.
MAX_MEMBERS: Final = 60


@dataclass(frozen=True)
class MemberRow:
    """One member that differs; ``sides`` are empty where a version has no such member."""

    pointer: str
    kind: str
    sides: Sides


@dataclass(frozen=True)
class ChangeCard:
    """One changed record: its differing members, or the one record there is."""

    id: str
    kind: str
    rows: tuple[MemberRow, ...]
    more: int
    record: ShownRecord | None


def change_card(change: ShownChange) -> ChangeCard:
    """``more`` counts the members that differ and are not shown."""
    lone = None if change.members else change.after or change.before
    return ChangeCard(
        id=change.id,
        kind=change.kind,
        rows=member_rows(change.members),
        more=max(0, len(change.members) - MAX_MEMBERS),
        record=show_record(lone, is_whole=False) if lone else None,
    )


def member_rows(members: Sequence[MemberChange]) -> tuple[MemberRow, ...]:
    return tuple(
        MemberRow(member.pointer, member.kind, compare_words(_text(member.before), _text(member.after)))
        for member in members[:MAX_MEMBERS]
    )


def _text(value: Any) -> str:
    """A member as people read it: a text as it is, everything else as JSON."""
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
