"""The statements of the token vault: one round trip for a batch, which the ORM cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connections

from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import active_alias, current_tenant_id

#: Rows are locked in the order of their ids, here and everywhere: batches with the same values wait for each other.
_ISSUE: Final = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::integer[])
            AS g(id, value_index, slot, token_index, sealed, uses)
    ), known AS (
        SELECT t.id, t.value_index, t.slot, t.sealed, t.uses + g.uses AS uses, t.expires_at,
               coalesce(t.expires_at <= now(), false) OR coalesce(t.created_at < %s, false) AS is_expired
          FROM given g
          JOIN anonymization_token t
            ON t.tenant_id = %s AND t.space_id = %s AND t.value_index = g.value_index AND t.slot = g.slot
         ORDER BY t.id
           FOR NO KEY UPDATE OF t
    ), counted AS (
        UPDATE anonymization_token t SET uses = k.uses FROM known k WHERE t.id = k.id
    ), fresh AS (
        INSERT INTO anonymization_token (
            id, tenant_id, space_id, generation, kind, value_index, slot, token_index, sealed, uses, reveals, expires_at
        )
        SELECT g.id, %s, %s, %s, %s, g.value_index, g.slot, g.token_index, g.sealed, g.uses, 0, %s
          FROM given g
         WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.value_index = g.value_index AND k.slot = g.slot)
         ORDER BY g.value_index
            ON CONFLICT DO NOTHING
        RETURNING id, value_index, slot, uses, expires_at
    )
    SELECT id, value_index, sealed, uses, expires_at, is_expired FROM known
     UNION ALL
    SELECT id, value_index, NULL, uses, expires_at, false FROM fresh
"""
#: Reading over and over what is there already: nothing is counted, so no row that exists is locked or written.
_LOOK_UP: Final = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::integer[])
            AS g(id, value_index, slot, token_index, sealed, uses)
    ), known AS (
        SELECT t.id, t.value_index, t.slot, t.sealed, g.uses, t.expires_at,
               coalesce(t.expires_at <= now(), false) OR coalesce(t.created_at < %s, false) AS is_expired
          FROM given g
          JOIN anonymization_token t
            ON t.tenant_id = %s AND t.space_id = %s AND t.value_index = g.value_index AND t.slot = g.slot
    ), fresh AS (
        INSERT INTO anonymization_token (
            id, tenant_id, space_id, generation, kind, value_index, slot, token_index, sealed, uses, reveals, expires_at
        )
        SELECT g.id, %s, %s, %s, %s, g.value_index, g.slot, g.token_index, g.sealed, g.uses, 0, %s
          FROM given g
         WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.value_index = g.value_index AND k.slot = g.slot)
         ORDER BY g.value_index
            ON CONFLICT DO NOTHING
        RETURNING id, value_index, slot, uses, expires_at
    )
    SELECT id, value_index, sealed, uses, expires_at, is_expired FROM known
     UNION ALL
    SELECT id, value_index, NULL, uses, expires_at, false FROM fresh
"""
_REVEAL: Final = """
    WITH given AS (
        SELECT DISTINCT g.token_index FROM unnest(%s::bytea[]) AS g(token_index)
    ), hit AS (
        SELECT t.id, t.token_index, t.sealed, t.kind,
               coalesce(t.expires_at <= now(), false) OR coalesce(t.created_at < %s, false) AS is_expired
          FROM given g
          JOIN anonymization_token t ON t.tenant_id = %s AND t.space_id = %s AND t.token_index = g.token_index
         ORDER BY t.id
           FOR NO KEY UPDATE OF t
    ), counted AS (
        UPDATE anonymization_token t SET reveals = t.reveals + 1 FROM hit WHERE t.id = hit.id AND NOT hit.is_expired
    )
    SELECT id, token_index, sealed, kind, is_expired FROM hit
"""
#: Unknown tokens (kind '') are counted for an hour: they are what guessing looks like.
_TALLY: Final = """
    INSERT INTO anonymization_tokenuse AS u (
        id, tenant_id, space_id, principal_id, kind, issued, repeated, refused, revealed, removed,
        last_issued_at, last_revealed_at
    )
    SELECT g.id, %s, %s, %s, g.kind, g.issued, g.repeated, g.refused, g.revealed, g.removed,
           CASE WHEN g.issued + g.repeated > 0 THEN now() END,
           CASE WHEN g.revealed > 0 OR g.kind = '' THEN now() END
      FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
           AS g(id, kind, issued, repeated, refused, revealed, removed)
     ORDER BY g.kind
        ON CONFLICT (tenant_id, space_id, principal_id, kind) DO UPDATE SET
           issued = u.issued + excluded.issued,
           repeated = u.repeated + excluded.repeated,
           refused = excluded.refused + CASE
               WHEN u.kind = '' AND u.last_revealed_at < now() - interval '1 hour' THEN 0 ELSE u.refused END,
           revealed = u.revealed + excluded.revealed,
           removed = u.removed + excluded.removed,
           last_issued_at = greatest(u.last_issued_at, excluded.last_issued_at),
           last_revealed_at = greatest(u.last_revealed_at, excluded.last_revealed_at)
"""

_RESEAL: Final = """
    UPDATE anonymization_token t SET sealed = g.sealed
      FROM unnest(%s::uuid[], %s::bytea[]) AS g(id, sealed) WHERE t.tenant_id = %s AND t.id = g.id
"""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A row to be; ``uses`` counts how often its value stands in the batch."""

    id: UUID
    value_index: bytes
    slot: bytes
    token_index: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    uses: int


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A row there is. ``sealed`` is None for one this batch has just made."""

    id: UUID
    value_index: bytes
    sealed: bytes | None = field(repr=False)
    uses: int
    expires_at: datetime | None
    is_expired: bool


@dataclass(frozen=True, slots=True)
class FoundToken:
    id: UUID
    token_index: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    kind: str
    is_expired: bool


@dataclass(slots=True)
class Tally:
    """What one principal did with one kind of token in one request."""

    issued: int = 0
    repeated: int = 0
    refused: int = 0
    revealed: int = 0
    removed: int = 0


def store_tokens(
    rows: Sequence[NewToken],
    *,
    space_id: UUID,
    generation: int,
    kind: str,
    expires_at: datetime | None,
    expired_before: datetime | None,
    counts: bool,
) -> list[StoredToken]:
    """Make the rows that are not there, and return all that are there now, found or made.

    What is missing in the answer has met a row that this statement could not see, or another value's token.
    ``counts`` adds the uses to rows that exist; without it they are only read.
    """
    tenant_id = current_tenant_id()
    columns = [[getattr(row, name) for row in rows] for name in NewToken.__slots__]
    own = [expired_before, tenant_id, space_id, tenant_id, space_id, generation, kind, expires_at]
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_ISSUE if counts else _LOOK_UP, [*columns, *own])
        return [
            StoredToken(pk, bytes(index), None if sealed is None else bytes(sealed), *facts)
            for pk, index, sealed, *facts in cursor.fetchall()
        ]


def find_tokens(indexes: Sequence[bytes], *, space_id: UUID, expired_before: datetime | None) -> list[FoundToken]:
    """The rows of those token indexes, each counted as revealed once unless it has expired."""
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_REVEAL, [list(indexes), expired_before, current_tenant_id(), space_id])
        return [FoundToken(pk, bytes(index), bytes(sealed), *facts) for pk, index, sealed, *facts in cursor.fetchall()]


def add_tallies(space_id: UUID, principal_id: UUID, tallies: dict[str, Tally]) -> None:
    """Add to the counters of a principal, by kind of token."""
    columns: list[list[Any]] = [[uuid7() for _ in tallies], list(tallies)]
    columns += [[getattr(tally, name) for tally in tallies.values()] for name in Tally.__slots__]
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_TALLY, [current_tenant_id(), space_id, principal_id, *columns])


def replace_sealed(sealed: dict[UUID, bytes]) -> None:
    """Put the rows' contents, sealed anew, in place of the old ones; the caller holds the rows locked."""
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_RESEAL, [list(sealed), list(sealed.values()), current_tenant_id()])
