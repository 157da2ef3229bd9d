"""Issuing tokens: a batch of values in, a token or a refusal for each out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Sum

from anonymization.models import Token, TokenUse
from anonymization.services.token_vault.space import OpenSpace
from anonymization.tokens.errors import DomainTooSmall, FormatMismatch, TokensExhausted, ValueTooFrequent
from anonymization.tokens.form import TokenForm, TokenKind
from anonymization.tokens.shapes import Encipherer
from anonymization.tokens.statements import NewToken, StoredToken, Tally, add_tallies, store_tokens
from anonymization.tokens.text import make_token
from vaultsite.kernel.errors import IntegrityFailure, VaultError
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import current_scope

#: A value may have this share of all occurrences: one of so many.
SHARE: Final = 100
#: Up to so many occurrences say nothing of a share: as if at least a thousand values had been seen.
FEW: Final = 10
#: Other tokens tried for a value whose token is taken; random ones are never taken.
_ROUNDS: Final = 32

KIND_CODES: Final = {TokenKind.RANDOM: "r", TokenKind.DETERMINISTIC: "d", TokenKind.FORMAT: "f"}


@dataclass(frozen=True, slots=True)
class Issued:
    """The token of one value, or why it has none."""

    token: str | None = field(default=None, repr=False)
    refusal: VaultError | None = None
    expires_at: datetime | None = None
    is_new: bool = False


@dataclass(slots=True)
class _Wanted:
    """A value that still needs its token."""

    value: str = field(repr=False)
    encoded: bytes = field(repr=False)
    value_index: bytes
    uses: int
    attempt: int = 0
    row_id: UUID = field(default_factory=uuid7)
    token: str = field(default="", repr=False)


class Issuer:
    """Issues tokens of one form in one space, inside the open scope. ``counts``: each value given is an occurrence.

    Without it, what is there already is only read: for readers who see the same records again and again.
    """

    def __init__(self, space: OpenSpace, form: TokenForm, *, counts: bool = True) -> None:
        self._space = space
        self._form = form
        self._counts = counts
        self._encipherer = self._make_encipherer()
        self._uses: dict[str, int] = {}

    def issue(self, values: Sequence[str]) -> list[Issued]:
        """One answer a value, in their order.

        Raises KeyUnavailable, KeyDestroyed, IntegrityFailure; then there is no token for any of them.
        """
        if self._form.kind == TokenKind.RANDOM:
            issued = self._resolve([self._want(value, 1) for value in values])
        else:
            occurrences = Counter(values)
            found = self._resolve_distinct(occurrences)
            self._judge_frequency(found, occurrences)
            issued = [found[value] for value in values]
        self._tally(issued)
        return issued

    def _resolve_distinct(self, occurrences: Counter[str]) -> dict[str, Issued]:
        found: dict[str, Issued] = {}
        wanted = []
        for value, uses in occurrences.items():
            try:
                self._form.require_domain(value)
                if self._encipherer:
                    self._encipherer.check(value)
            except (DomainTooSmall, FormatMismatch) as refusal:
                found[value] = Issued(refusal=refusal)
            else:
                wanted.append(self._want(value, uses))
        return found | dict(zip((want.value for want in wanted), self._resolve(wanted), strict=True))

    def _want(self, value: str, uses: int) -> _Wanted:
        encoded = value.encode("utf-8", "surrogatepass")
        return _Wanted(value, encoded, self._space.current.value_index(encoded), uses)

    def _resolve(self, wanted: Sequence[_Wanted]) -> list[Issued]:
        """Store what is wanted, again for those whose token was taken. In the order given."""
        done: dict[UUID, Issued] = {}
        waiting = list(wanted)
        for _ in range(_ROUNDS):
            waiting = self._round(waiting, done)
            if not waiting:
                break
        return [done.get(want.row_id) or Issued(refusal=TokensExhausted()) for want in wanted]

    def _round(self, waiting: list[_Wanted], done: dict[UUID, Issued]) -> list[_Wanted]:
        rows = self._rows(waiting)
        stored = store_tokens(
            rows,
            space_id=self._space.row.pk,
            generation=self._space.current.number,
            kind=KIND_CODES[self._form.kind],
            expires_at=self._form.expires_at,
            expired_before=self._space.row.expired_before,
            counts=self._counts,
        )
        if expired := [row.id for row in stored if row.is_expired]:
            _move_aside(expired)
        by_row = {row.id: row for row in stored if not row.is_expired}
        by_value = {row.value_index: row for row in by_row.values() if row.sealed is not None}
        left = []
        for want in waiting:
            row = by_row.get(want.row_id) or by_value.get(want.value_index)
            if row is None:
                want.attempt += 1
                left.append(want)
            else:
                done[want.row_id] = self._issued(want, row)
                self._uses[want.value] = row.uses
        return left

    def _issued(self, want: _Wanted, row: StoredToken) -> Issued:
        if row.sealed is None:
            return Issued(want.token, expires_at=row.expires_at, is_new=True)
        token, value = self._space.open(row.id, row.sealed)
        if value != want.encoded:
            raise IntegrityFailure("A token stands for another value than its index says")
        return Issued(token.decode(), expires_at=row.expires_at)

    def _rows(self, waiting: Iterable[_Wanted]) -> list[NewToken]:
        """Rows with a token each that no other value of the batch has."""
        taken: set[str] = set()
        rows = []
        for want in waiting:
            want.token = self._next_token(want, taken)
            if not want.token:
                continue
            taken.add(want.token)
            encoded = want.token.encode()
            slot = want.row_id.bytes if self._form.kind == TokenKind.RANDOM else self._form.digest
            index = self._space.token_index(encoded)
            sealed = self._space.seal(want.row_id, encoded, want.encoded)
            rows.append(NewToken(want.row_id, want.value_index, slot, index, sealed, want.uses))
        return rows

    def _next_token(self, want: _Wanted, taken: set[str]) -> str:
        if self._encipherer is None:
            return make_token(self._form.prefix, self._space.current.number)
        for attempt in range(want.attempt, want.attempt + _ROUNDS):
            token = self._encipherer.token(want.value, attempt)
            if token is not None and token not in taken:
                want.attempt = attempt
                return token
        return ""

    def _make_encipherer(self) -> Encipherer | None:
        if self._form.kind != TokenKind.FORMAT:
            return None
        return Encipherer(self._space.current.format, self._form.parsed_shape)

    def _judge_frequency(self, found: dict[str, Issued], occurrences: Counter[str]) -> None:
        if self._space.row.frequent_reason:
            return
        total = sum(count for value, count in occurrences.items() if found[value].token is not None)
        if self._counts:
            seen = TokenUse.objects.filter(space=self._space.row, kind__in=("d", "f"))
            sums = seen.aggregate(issued=Sum("issued"), repeated=Sum("repeated"))
            total += sum(number or 0 for number in sums.values())
        for value, count in occurrences.items():
            uses = self._uses.get(value, count) if self._counts else count
            if found[value].token is not None and uses > FEW and uses * SHARE > total:
                found[value] = Issued(refusal=ValueTooFrequent())

    def _tally(self, issued: Sequence[Issued]) -> None:
        tally = Tally(
            issued=sum(one.is_new for one in issued),
            repeated=sum(one.token is not None and not one.is_new for one in issued) if self._counts else 0,
            refused=sum(one.refusal is not None for one in issued),
        )
        if self._form.kind != TokenKind.RANDOM and tally.issued:
            # Of a value's occurrences in this batch only the first one has made a token.
            made = len({one.token for one in issued if one.is_new})
            tally.repeated += (tally.issued - made) * self._counts
            tally.issued = made
        if tally != Tally():
            add_tallies(self._space.row.pk, current_scope().principal.id, {KIND_CODES[self._form.kind]: tally})


def _move_aside(expired: Iterable[UUID]) -> None:
    """Make room for new tokens of the same values; their removal is up to the expiry, which knows what is held."""
    for row_id in expired:
        Token.objects.filter(pk=row_id).update(slot=row_id.bytes)
