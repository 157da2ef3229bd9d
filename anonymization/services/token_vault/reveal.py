"""Revealing tokens: a batch of tokens in, a value or a refusal for each out, every one counted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.utils import timezone

from anonymization.models import TokenUse
from anonymization.services.token_vault.space import OpenSpace
from anonymization.tokens.errors import TokenExpired, TokenUnknown, TooManyUnknownTokens
from anonymization.tokens.statements import FoundToken, Tally, add_tallies, find_tokens
from vaultsite.kernel.errors import IntegrityFailure, VaultError
from vaultsite.kernel.tenancy.scope import current_scope

#: Unknown tokens that one principal may ask for in one scope within an hour.
MAX_UNKNOWN: Final = 5_000
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Revealed:
    """The value behind one token, or why it is not shown."""

    value: str | None = field(default=None, repr=False)
    refusal: VaultError | None = None


def reveal_tokens(space: OpenSpace | None, tokens: Sequence[str]) -> list[Revealed]:
    """One answer a token, in their order, inside the open scope; ``space`` is None where there never were any.

    Raises TooManyUnknownTokens for a principal that guesses, KeyDestroyed, KeyUnavailable, IntegrityFailure; then no
    value is shown.
    """
    if space is None:
        return [Revealed(refusal=TokenUnknown()) for _ in tokens]
    _refuse_guessing(space)
    indexes = [space.token_index(token.encode("utf-8", "surrogatepass")) for token in tokens]
    rows = find_tokens(indexes, space_id=space.row.pk, expired_before=space.row.expired_before)
    found = {row.token_index: row for row in rows}
    tallies: dict[str, Tally] = defaultdict(Tally)
    revealed = []
    for token, index in zip(tokens, indexes, strict=True):
        row = found.get(index)
        revealed.append(_reveal(space, token, row))
        tally = tallies[row.kind if row else ""]
        tally.revealed += revealed[-1].refusal is None
        tally.refused += revealed[-1].refusal is not None
    add_tallies(space.row.pk, current_scope().principal.id, dict(tallies))
    return revealed


def _refuse_guessing(space: OpenSpace) -> None:
    who = current_scope().principal.id
    recent = TokenUse.objects.filter(
        space=space.row, principal_id=who, kind="", last_revealed_at__gt=timezone.now() - _HOUR
    )
    if recent.filter(refused__gte=MAX_UNKNOWN).exists():
        raise TooManyUnknownTokens


def _reveal(space: OpenSpace, token: str, row: FoundToken | None) -> Revealed:
    if row is None:
        return Revealed(refusal=TokenUnknown())
    if row.is_expired:
        return Revealed(refusal=TokenExpired())
    stored, value = space.open(row.id, row.sealed)
    if stored.decode() != token:
        raise IntegrityFailure("A row is another token's")
    return Revealed(value.decode("utf-8", "surrogatepass"))
