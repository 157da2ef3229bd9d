"""The token vault as a person may see it: counters, ages and who used it, never a token or value."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from access.services.authorize import authorize
from anonymization.models import Token, TokenGeneration, TokenSpace, TokenUse
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Principals shown of one scope.
WHO_SHOWN: Final = 10


@dataclass(frozen=True)
class KindCounts:
    """Counters of one kind of token since the scope began; ``live`` are those neither expired nor erased yet."""

    kind: str
    issued: int
    repeated: int
    refused: int
    revealed: int
    removed: int

    @property
    def live(self) -> int:
        return max(self.issued - self.removed, 0)


@dataclass(frozen=True)
class Revealer:
    """Somebody who turned tokens of a scope back."""

    principal_id: UUID
    revealed: int
    last_at: datetime


@dataclass(frozen=True)
class SpaceView:
    """One scope. ``generation`` is its number of key generations, ``rotated_at`` when the last one began."""

    space: TokenSpace
    generation: int
    rotated_at: datetime | None
    kinds: list[KindCounts]
    revealers: list[Revealer]
    unknown: int


def list_spaces(principal: Principal, *, after: UUID | None, limit: int) -> list[SpaceView]:
    """Scopes, oldest first, at most ``limit`` of them after the one of that id. Raises AccessDenied."""
    authorize(principal, "token.read", ResourceRef("token_scope"))
    rows = TokenSpace.objects.order_by("pk")
    spaces = list((rows.filter(pk__gt=after) if after else rows)[:limit])
    uses: dict[UUID, list[TokenUse]] = defaultdict(list)
    for use in TokenUse.objects.filter(space__in=spaces).order_by("-last_revealed_at"):
        uses[use.space_id].append(use)
    generations: dict[UUID, TokenGeneration] = {}
    for generation in TokenGeneration.objects.filter(space__in=spaces).order_by("number"):
        generations[generation.space_id] = generation
    return [_view(space, generations[space.pk], uses[space.pk]) for space in spaces]


def _view(space: TokenSpace, latest: TokenGeneration, uses: Sequence[TokenUse]) -> SpaceView:
    return SpaceView(
        space=space,
        generation=latest.number,
        rotated_at=latest.created_at if latest.number > 1 else None,
        kinds=[_counts(name, [use for use in uses if use.kind == code]) for code, name in Token.KINDS],
        revealers=_revealers(uses),
        unknown=sum(use.refused for use in uses if not use.kind),
    )


def _counts(kind: str, uses: Sequence[TokenUse]) -> KindCounts:
    names = ("issued", "repeated", "refused", "revealed", "removed")
    return KindCounts(kind, **{name: sum(getattr(use, name) for use in uses) for name in names})


def _revealers(uses: Sequence[TokenUse]) -> list[Revealer]:
    found: dict[UUID, Revealer] = {}
    for use in uses:
        if use.revealed and use.last_revealed_at:
            before = found.get(use.principal_id)
            revealed = use.revealed + (before.revealed if before else 0)
            last_at = max(use.last_revealed_at, before.last_at) if before else use.last_revealed_at
            found[use.principal_id] = Revealer(use.principal_id, revealed, last_at)
    return sorted(found.values(), key=lambda one: one.last_at, reverse=True)[:WHO_SHOWN]
